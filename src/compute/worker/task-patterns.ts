import { type CatalogueEntry, type TaskCatalogue, taskKey } from '../catalogue/task-catalogue.js';

/**
 * The tasks of the catalogue that a worker runs.
 * @param patterns like `geostatistics/*`, where `*` stands for any characters within a segment
 */
export function servedTasks(
  catalogue: TaskCatalogue,
  patterns: readonly string[],
): readonly CatalogueEntry[] {
  const expressions = patterns.map(
    (pattern) => new RegExp(`^${pattern.replaceAll('*', '[a-z0-9-]*')}$`),
  );
  return catalogue.entries.filter(({ task }) =>
    expressions.some((expression) => expression.test(taskKey(task))),
  );
}
