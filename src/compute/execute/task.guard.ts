import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../platform/http/problem/problem.js';
import { type CatalogueEntry, TASK_CATALOGUE, TaskCatalogue } from '../catalogue/task-catalogue.js';

interface TaskRequest extends FastifyRequest<{ Params: { topic: string; task: string } }> {
  /** The task of the path, found by the guard. */
  catalogueEntry?: CatalogueEntry;
}

/** Is there such a task, and was a preview one asked for knowingly? Judged before the body is read. */
@Injectable()
export class TaskGuard implements CanActivate {
  constructor(@Inject(TASK_CATALOGUE) private readonly catalogue: TaskCatalogue) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<TaskRequest>();
    const entry = this.catalogue.find(request.params.topic, request.params.task);
    if (entry === null) {
      throw new Problem(
        'not-found',
        'There is no such task: GET /compute/orgs/{org_id}/tasks lists those there are.',
      );
    }
    if (
      entry.task.previewFlag !== undefined &&
      request.headers['api-preview']?.toString().toLowerCase() !== 'opt-in'
    ) {
      throw new Problem(
        'preview-api',
        'This task is a preview and may change: send the header API-Preview: opt-in to use it.',
      );
    }
    request.catalogueEntry = entry;
    return true;
  }
}

/** The entry that {@link TaskGuard} found. */
export function catalogueEntryOf(request: FastifyRequest): CatalogueEntry {
  return (request as TaskRequest).catalogueEntry as CatalogueEntry;
}
