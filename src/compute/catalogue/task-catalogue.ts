import type { BodyOf } from '../../platform/http/openapi/body.js';
import { type JsonSchemaDocument, jsonSchemaOf } from '../schema/task.schema.js';
import type { Task } from '../task.js';
import { VIEWS } from './view.schema.js';
import type { TASK } from './catalogue.schema.js';

/** A task together with the file it comes from. */
export interface CatalogueEntry {
  readonly task: Task;
  /**
   * File URL of the module whose default export is the task, which a worker thread loads; of the
   * manifest of a process task.
   */
  readonly moduleUrl: string;
}

interface TaskSchemas {
  readonly parameters: JsonSchemaDocument;
  readonly results: JsonSchemaDocument;
}

/** Injection token of the {@link TaskCatalogue}. */
export const TASK_CATALOGUE = Symbol('TASK_CATALOGUE');

/** The tasks this process knows, sorted by key. */
export class TaskCatalogue {
  readonly entries: readonly CatalogueEntry[];
  private readonly byKey: ReadonlyMap<string, CatalogueEntry>;
  private readonly schemas = new Map<string, TaskSchemas>();

  constructor(entries: readonly CatalogueEntry[]) {
    this.entries = [...entries].sort((one, other) =>
      taskKey(one.task) < taskKey(other.task) ? -1 : 1,
    );
    this.byKey = new Map(this.entries.map((entry) => [taskKey(entry.task), entry]));
  }

  find(topic: string, name: string): CatalogueEntry | null {
    return this.byKey.get(taskKey({ topic, name })) ?? null;
  }

  describe({ task }: CatalogueEntry, details: boolean): BodyOf<typeof TASK> {
    return {
      key: taskKey(task),
      topic: task.topic,
      name: task.name,
      display_name: task.displayName,
      version: task.version,
      description: task.description,
      ...(task.previewFlag !== undefined && { feature_flag: task.previewFlag }),
      ...(details && this.detailsOf(task)),
    };
  }

  private detailsOf(task: Task) {
    return {
      ...this.schemasOf(task),
      example: task.example as Record<string, unknown>,
      ...(task.view !== undefined && { view: VIEWS.parse(task.view) }),
    };
  }

  /** JSON Schemas of what a client may send, and of what it gets. */
  schemasOf(task: Task): TaskSchemas {
    const key = taskKey(task);
    const known = this.schemas.get(key) ?? {
      parameters: jsonSchemaOf(task.parameters, 'input'),
      results: jsonSchemaOf(task.results, 'output'),
    };
    this.schemas.set(key, known);
    return known;
  }
}

export function taskKey({
  topic,
  name,
}: {
  readonly topic: string;
  readonly name: string;
}): string {
  return `${topic}/${name}`;
}
