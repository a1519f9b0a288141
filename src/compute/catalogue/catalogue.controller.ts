import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { RequireScope } from '../../auth/auth.decorators.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { parseQuery, wholeNumber } from '../../platform/http/paging/page-query.js';
import { ApiCatalogue } from './catalogue.openapi.js';
import type { TASK_PAGE } from './catalogue.schema.js';
import { TASK_CATALOGUE, TaskCatalogue } from './task-catalogue.js';

const QUERY = z.object({
  details: z.stringbool({ error: 'must be true or false' }).default(false),
  limit: wholeNumber(1, 1_000).default(100),
  offset: wholeNumber(0, 1_000_000).default(0),
});
/** All of them are named when they are wrong. */
const MAX_NAMED = 3;

/** The tasks that the organization may run. */
@Controller('compute/orgs/:org_id/tasks')
@UseGuards(AcceptsJson)
export class CatalogueController {
  constructor(@Inject(TASK_CATALOGUE) private readonly catalogue: TaskCatalogue) {}

  @Get()
  @RequireScope('compute:read')
  @ApiCatalogue()
  list(@Query() query: Record<string, unknown>): BodyOf<typeof TASK_PAGE> {
    const { details, limit, offset } = parseQuery(QUERY, query, MAX_NAMED);
    const results = this.catalogue.entries
      .slice(offset, offset + limit)
      .map((entry) => this.catalogue.describe(entry, details));
    return {
      limit,
      offset,
      total: this.catalogue.entries.length,
      count: results.length,
      results,
    };
  }
}
