import { z } from 'zod';
import { defineTask, type TaskContext } from '../../../compute/task.js';
import { CoordinateTolerance, largest } from '../coordinate-tolerance.js';
import {
  blank,
  orNull,
  summarize,
  summarySchema,
  tellEstimates,
} from '../targets/estimates-summary.js';
import { lengthOf } from '../length.js';
import { NeighborSearch } from '../neighbors/search/neighbor-search.js';
import { neighborhoodSchema } from '../neighbors/neighborhood.schema.js';
import { SampleSet } from '../samples/sample-set.js';
import { sourceSchema } from '../samples/source.schema.js';
import { TargetPoints } from '../targets/target-points.js';
import { refuseOtherDimension, targetSchema } from '../targets/target.schema.js';
import { visitOrder } from '../targets/visit-order.js';
import { WorkPace } from '../work-pace.js';

const parameters = z
  .strictObject({
    source: sourceSchema(),
    target: targetSchema,
    neighborhood: neighborhoodSchema,
    power: z.number().min(0).max(100).default(2).meta({
      description:
        'Exponent of the distance: 0 is the plain average, large values approach the nearest sample',
    }),
  })
  .check(refuseOtherDimension);

const results = z.strictObject({
  message: z.string().meta({ description: 'One line for people' }),
  target: z.strictObject({
    values: z
      .array(z.number().nullable())
      .meta({ description: 'Estimates, in the order of the target' }),
  }),
  summary: summarySchema,
});

function run(
  { source, target, neighborhood, power }: z.output<typeof parameters>,
  context: TaskContext,
): z.input<typeof results> {
  const points = new TargetPoints(target);
  const noun = target.grid ? 'cells' : 'points';
  const pace = new WorkPace(context, (done) => `Estimated ${done} of ${points.count} ${noun}`);
  pace.tell(0, points.count);

  const samples = new SampleSet(source);
  const tolerance = new CoordinateTolerance(
    largest(samples.magnitudes, points.magnitudes),
    target.grid?.spacing,
  );
  const search = new NeighborSearch(samples, neighborhood, tolerance);
  const distances = new Float64Array(search.found.length);
  const values = blank(points.count);
  const order = visitOrder(target, points);
  const filteredOut = points.count - order.length;
  for (let done = 0; done < order.length; done++) {
    pace.tell(done, order.length);
    const i = order[done]!;
    points.moveTo(i);
    const count = search.around(points.x, points.y, points.z);
    for (let k = 0; k < count; k++) {
      const sample = search.found[k]!;
      const dx = samples.x[sample]! - points.x;
      const dy = samples.y[sample]! - points.y;
      const dz = samples.z[sample]! - points.z;
      distances[k] = tolerance.isNone(dx, dy, dz) ? 0 : lengthOf(dx, dy, dz);
    }
    if (count > 0) values[i] = weightedMean(samples.values, search.found, distances, count, power);
  }
  pace.tell(points.count, points.count);

  const summary = summarize(values);
  return {
    message: tellEstimates(summary.points, summary.estimated, noun, filteredOut),
    target: { values: orNull(values) },
    summary: { ...summary, filtered_out: filteredOut, seconds: pace.seconds },
  };
}

/**
 * Σ wᵢ zᵢ / Σ wᵢ with wᵢ = 1 / dᵢ^power (Shepard 1968); at distance 0 the mean of the samples there.
 * Distances are divided by the smallest first, so that no weight overflows.
 */
function weightedMean(
  values: Float64Array,
  neighbors: Uint32Array,
  distances: Float64Array,
  count: number,
  power: number,
): number {
  let nearest = Infinity;
  for (let k = 0; k < count; k++) nearest = Math.min(nearest, distances[k]!);
  let total = 0;
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const distance = distances[k]!;
    if (nearest === 0 && distance > 0) continue;
    const weight = nearest === 0 ? 1 : (nearest / distance) ** power;
    total += weight;
    sum += weight * values[neighbors[k]!]!;
  }
  return sum / total;
}

export default defineTask({
  runner: 'thread',
  topic: 'geostatistics',
  name: 'idw',
  displayName: 'Inverse distance weighting',
  version: '1.1.0',
  description:
    'Estimates values at points, or at the centres of the cells of a grid, as averages of the samples ' +
    'in a moving neighborhood, weighted by 1 / distance^power. The neighborhood is chosen by the ' +
    'anisotropic distance of its ellipsoid; the weights use the ordinary (Euclidean) distance. ' +
    'A point with too few samples in its search ellipsoid is `null`; a point on a sample gets its ' +
    'value (on several samples, their mean).',
  parameters,
  results,
  example: {
    source: {
      coordinates: [
        [10, 10],
        [40, 15],
        [75, 20],
        [20, 55],
        [50, 50],
        [85, 60],
      ],
      values: [2.1, 2.6, 3.4, 1.9, 2.8, 3.9],
    },
    target: {
      coordinates: [
        [30, 30],
        [60, 40],
        [50, 50],
      ],
    },
    neighborhood: {
      ellipsoid: { ellipsoid_ranges: { major: 100, semi_major: 100, minor: 100 } },
      max_samples: 4,
    },
    power: 2,
  },
  timeoutSeconds: 3600,
  run,
});
