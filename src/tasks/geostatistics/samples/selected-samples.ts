import { TaskProblem } from '../../../compute/task.problem.js';
import { readyFilter } from './filter-evaluation.js';
import type { Source } from './source.schema.js';

/**
 * The indices in `source.coordinates` of the samples that pass `source.filter`, ascending.
 * @throws TaskProblem 422 `no-samples` when none does
 */
export function selectedSamples({ coordinates, attributes, filter }: Source): Uint32Array {
  const all = new Uint32Array(coordinates.length).map((_, i) => i);
  if (!filter) return all;
  const selected = all.filter(readyFilter(filter, attributes ?? {}));
  if (selected.length > 0) return selected;
  throw new TaskProblem({
    status: 422,
    slug: 'no-samples',
    title: 'The filter leaves no samples.',
    detail:
      `source.filter is true of none of the ${coordinates.length} samples. ` +
      'Ask for less, and mind that no condition is true where its attribute is null.',
  });
}
