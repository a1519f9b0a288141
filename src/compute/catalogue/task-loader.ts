import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { z } from 'zod';
import type { CodeTask } from '../task.js';
import { VIEWS } from './view.schema.js';
import { type CatalogueEntry, TaskCatalogue, taskKey } from './task-catalogue.js';

const SEGMENT = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be like kriging-2d');

/** Words that routes of the service have, or will have, where a topic stands. */
const RESERVED_TOPICS = [
  'jobs',
  'tasks',
  'audit',
  'limits',
  'schedules',
  'webhooks',
  'workers',
  'workflows',
];
/** Words that they have behind a topic. */
const RESERVED_NAMES = ['status', 'batch'];

/** What topics of tasks look like. */
export const TOPIC = SEGMENT.refine(
  (topic) => !RESERVED_TOPICS.includes(topic),
  `must be none of ${RESERVED_TOPICS.join(', ')}: the service has these paths`,
);

/** What names of tasks look like. */
export const TASK_NAME = SEGMENT.refine(
  (name) => !RESERVED_NAMES.includes(name),
  `must be none of ${RESERVED_NAMES.join(', ')}: the service has these paths`,
);

/** Semantic versions, without what may follow them. */
export const VERSION = z.string().regex(/^\d+\.\d+\.\d+$/, 'must be like 1.0.0');

/** Longest time that a task may ask for: a week. */
export const MAX_TIMEOUT_SECONDS = 7 * 86_400;

/** What must hold of a definition, whatever its types said. */
const DEFINITION = z.object({
  topic: TOPIC,
  name: TASK_NAME,
  displayName: z.string().min(1),
  version: VERSION,
  description: z.string().min(1),
  parameters: z.instanceof(z.ZodType, { error: 'must be a zod schema' }),
  results: z.instanceof(z.ZodType, { error: 'must be a zod schema' }),
  runner: z.enum(['thread', 'inline']),
  view: VIEWS.optional(),
  timeoutSeconds: z.number().positive().max(MAX_TIMEOUT_SECONDS),
  maxAttempts: z.number().int().min(1).max(100).optional(),
  backoff: z
    .object({ firstSeconds: z.number().positive(), longestSeconds: z.number().positive() })
    .optional(),
  previewFlag: z.string().min(1).optional(),
  run: z.function(),
});

/**
 * Loads every `*.task.js` file below a folder.
 * @throws Error that names each wrong file and what is wrong with it
 */
export async function loadTasks(folder: string): Promise<TaskCatalogue> {
  const files = (await readdir(folder, { recursive: true }))
    .filter((file) => /\.task\.[jt]s$/.test(file) && !file.endsWith('.d.ts'))
    .sort();
  const faults: string[] = [];
  const entries: CatalogueEntry[] = [];
  const seen = new Map<string, string>();
  for (const file of files) {
    const moduleUrl = pathToFileURL(join(folder, file)).href;
    const { default: task } = (await import(moduleUrl)) as { default?: CodeTask };
    const checked = DEFINITION.safeParse(task);
    if (task === undefined || !checked.success) {
      const issues = checked.error?.issues ?? [];
      const what = issues.map(
        (issue) => `${issue.path.join('.') || 'default export'}: ${issue.message}`,
      );
      faults.push(`${file}: ${what.join('; ')}`);
      continue;
    }
    const example = task.parameters.safeParse(task.example);
    if (!example.success) {
      faults.push(`${file}: its example is refused by its own schema: ${example.error.message}`);
    }
    const twin = seen.get(taskKey(task));
    if (twin !== undefined) {
      faults.push(`${file}: ${taskKey(task)} is defined in ${twin} already`);
    }
    seen.set(taskKey(task), file);
    entries.push({ task, moduleUrl });
  }
  if (faults.length > 0) {
    throw new Error(`Tasks that cannot be offered:\n  ${faults.join('\n  ')}`);
  }
  return new TaskCatalogue(entries);
}
