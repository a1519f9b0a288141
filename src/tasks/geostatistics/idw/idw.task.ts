import { z } from 'zod';
import { defineTask, type TaskContext } from '../../../compute/task.js';
import { neighborhoodSchema } from '../neighbors/neighborhood.schema.js';
import { SampleSet } from '../samples/sample-set.js';
import { sourceSchema } from '../samples/source.schema.js';
import { estimateAll, MAX_THREADS } from '../sharing/shared-estimation.js';
import {
  blank,
  orNull,
  summarize,
  summarySchema,
  tellEstimates,
} from '../targets/estimates-summary.js';
import { placesOf } from '../targets/target-points.js';
import { countOf, refuseOtherDimension, targetSchema } from '../targets/target.schema.js';
import { visitOrder } from '../targets/visit-order.js';
import { WorkPace } from '../work-pace.js';
import { IdwEstimator, type IdwWork } from './idw-estimator.js';

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

async function run(
  { source, target, neighborhood, power }: z.output<typeof parameters>,
  context: TaskContext,
): Promise<z.input<typeof results>> {
  const total = countOf(target);
  const noun = target.grid ? 'cells' : 'points';
  const pace = new WorkPace(context, (done) => `Estimated ${done} of ${total} ${noun}`);
  pace.tell(0, total);

  const values = blank(total);
  const samples = new SampleSet(source);
  const work: IdwWork = { samples, places: placesOf(target), neighborhood, power, values };
  const order = visitOrder(target);
  const filteredOut = total - order.length;
  await estimateAll({
    order,
    estimator: new IdwEstimator(work),
    work,
    helper: new URL('./idw.thread.js', import.meta.url),
    context,
    pace,
  });
  pace.tell(total, total);

  const summary = summarize(values);
  return {
    message: tellEstimates(summary.points, summary.estimated, noun, filteredOut),
    target: { values: orNull(values) },
    summary: { ...summary, filtered_out: filteredOut, seconds: pace.seconds },
  };
}

export default defineTask({
  runner: 'thread',
  resources: { threads: MAX_THREADS },
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
  view: [
    {
      kind: 'map',
      title: 'Estimates',
      grid: 'parameters.target.grid',
      points: 'parameters.target.coordinates',
      layers: [{ title: 'Estimate', values: 'results.target.values' }],
      samples: { coordinates: 'parameters.source.coordinates', values: 'parameters.source.values' },
    },
    { kind: 'histogram', title: 'Distribution of the estimates', values: 'results.target.values' },
  ],
  timeoutSeconds: 3600,
  run,
});
