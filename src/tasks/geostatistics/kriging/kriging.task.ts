import { z } from 'zod';
import { defineTask, type TaskContext } from '../../../compute/task.js';
import { TaskProblem } from '../../../compute/task.problem.js';
import { CoordinateTolerance } from '../coordinate-tolerance.js';
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
import { placesOf, TargetPoints } from '../targets/target-points.js';
import { countOf, refuseOtherDimension, targetSchema } from '../targets/target.schema.js';
import { visitOrder } from '../targets/visit-order.js';
import { variogramSchema } from '../variogram-model/variogram.schema.js';
import { WorkPace } from '../work-pace.js';
import {
  discretisationMembers,
  discretisationMistake,
  discretisationOf,
  isBlock,
} from './discretisation.schema.js';
import { diagnosticResults, diagnosticsSchema } from './diagnostics.schema.js';
import { diagnosticArrays, resultsOf } from './diagnostic-arrays.js';
import { KrigingEstimator, type KrigingWork, type SingularTarget } from './kriging-estimator.js';

/** Also wants to know how its estimates came about. */
const krigingTargetSchema = targetSchema
  .safeExtend({ diagnostics: diagnosticsSchema })
  .meta(targetSchema.meta() ?? {});

const parameters = z
  .strictObject({
    source: sourceSchema(),
    target: krigingTargetSchema,
    variogram: variogramSchema,
    neighborhood: neighborhoodSchema,
    kriging_method: z
      .discriminatedUnion('type', [
        z
          .strictObject({ type: z.literal('ordinary') })
          .meta({ description: 'The mean is unknown and the same within a neighborhood' }),
        z
          .strictObject({
            type: z.literal('simple'),
            mean: z
              .number()
              .min(-1e100)
              .max(1e100)
              .meta({ description: 'The known mean of the values' }),
          })
          .meta({ description: 'The mean is known; the variogram needs a sill' }),
      ])
      .default({ type: 'ordinary' })
      .meta({ description: 'What is known about the mean' }),
    ...discretisationMembers,
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { target, variogram, kriging_method } = context.value;
    const refuse = (path: (string | number)[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message });
    refuseOtherDimension(context);
    if (kriging_method.type === 'simple') {
      variogram.structures.forEach(({ variogram_type }, index) => {
        if (variogram_type !== 'linear') return;
        const path = ['variogram', 'structures', index, 'variogram_type'];
        refuse(
          path,
          'A linear structure has no sill, which simple kriging needs: use ordinary kriging',
        );
      });
    }
    const mistake = discretisationMistake(context.value, target);
    if (mistake) refuse(mistake.path, mistake.message);
  });

const results = z.strictObject({
  message: z.string().meta({ description: 'One line for people' }),
  target: z.strictObject({
    values: z
      .array(z.number().nullable())
      .meta({ description: 'Estimates, in the order of the target' }),
    variances: z
      .array(z.number().min(0).nullable())
      .meta({ description: 'Kriging variances, in squared units of the values' }),
    diagnostics: diagnosticResults,
  }),
  summary: summarySchema.extend({
    mean_variance: z
      .number()
      .nullable()
      .meta({ description: 'Mean kriging variance; null without estimates' }),
  }),
});

/**
 * Estimates every target point or block.
 * @throws TaskProblem 422 `no-samples`, `duplicate-samples` or `singular-kriging-system`
 */
async function run(
  {
    source,
    target,
    variogram,
    neighborhood,
    kriging_method,
    ...spelled
  }: z.output<typeof parameters>,
  context: TaskContext,
): Promise<z.input<typeof results>> {
  const total = countOf(target);
  const noun = target.grid ? 'cells' : 'points';
  const pace = new WorkPace(context, (done) => `Estimated ${done} of ${total} ${noun}`);
  pace.tell(0, total);

  const samples = new SampleSet(source);
  // By the samples alone: whether two are one place does not hang on where one wants to know.
  samples.refuseDuplicates(new CoordinateTolerance(samples.magnitudes));
  const discretisation = discretisationOf(spelled);
  const [values, variances] = [blank(total), blank(total)];
  const work: KrigingWork = {
    samples,
    places: placesOf(target),
    variogram,
    neighborhood,
    method: kriging_method,
    discretisation: discretisation && isBlock(discretisation) ? discretisation : undefined,
    values,
    variances,
    diagnostics: diagnosticArrays(target.diagnostics, total),
  };
  const order = visitOrder(target);
  const filteredOut = total - order.length;
  const findings = await estimateAll({
    order,
    estimator: new KrigingEstimator(work),
    work,
    helper: new URL('./kriging.thread.js', import.meta.url),
    context,
    pace,
  });
  refuseSingular(findings as (SingularTarget | undefined)[], work, samples);
  pace.tell(total, total);

  const summary = summarize(values);
  return {
    message: tellEstimates(summary.points, summary.estimated, noun, filteredOut),
    target: {
      values: orNull(values),
      variances: orNull(variances),
      diagnostics: resultsOf(work.diagnostics),
    },
    summary: {
      ...summary,
      filtered_out: filteredOut,
      mean_variance: summarize(variances).mean,
      seconds: pace.seconds,
    },
  };
}

/** @throws TaskProblem of the singular target with the smallest index, if there is one */
function refuseSingular(
  findings: readonly (SingularTarget | undefined)[],
  { places }: KrigingWork,
  samples: SampleSet,
): void {
  const [first] = findings
    .filter((finding) => finding !== undefined)
    .toSorted((a, b) => a.index - b.index);
  if (!first) return;
  const points = new TargetPoints(places);
  points.moveTo(first.index);
  const place = samples.place(points.x, points.y, points.z);
  const [one, other] = first.samples;
  throw new TaskProblem({
    status: 422,
    slug: 'singular-kriging-system',
    title: 'The kriging system is singular.',
    detail:
      `At target ${first.index} ${place} the variogram makes the samples around it so alike, most of all ` +
      `${samples.name(one)} and ${samples.name(other)} (counted from 0), that rounding would ` +
      'decide the estimate. Add a small nugget to the variogram (often 1e-6 of the sill is enough), ' +
      'shorten its ranges, lower neighborhood.max_samples, or remove samples that are almost at the same place.',
  });
}

export default defineTask({
  runner: 'thread',
  resources: { threads: MAX_THREADS },
  topic: 'geostatistics',
  name: 'kriging',
  displayName: 'Kriging',
  version: '1.1.0',
  description:
    'Estimates values at points, or averages over the cells of a grid, from samples and a variogram ' +
    'model, by ordinary or simple kriging in a moving neighborhood, with the kriging variance. ' +
    'A point with too few samples in its search ellipsoid is `null`; a point on a sample gets its ' +
    'value with variance 0. Samples that share a location and singular systems end the job with a problem.',
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
        [15, 90],
        [60, 85],
      ],
      values: [2.1, 2.6, 3.4, 1.9, 2.8, 3.9, 1.4, 2.9],
    },
    target: { grid: { origin: [0, 0], spacing: [50, 50], size: [2, 2] } },
    variogram: {
      nugget: 0.05,
      structures: [
        {
          variogram_type: 'spherical',
          contribution: 0.6,
          anisotropy: {
            ellipsoid_ranges: { major: 90, semi_major: 60, minor: 60 },
            rotation: { dip_azimuth: 30, dip: 0, pitch: 0 },
          },
        },
      ],
    },
    neighborhood: {
      ellipsoid: {
        ellipsoid_ranges: { major: 150, semi_major: 100, minor: 100 },
        rotation: { dip_azimuth: 30, dip: 0, pitch: 0 },
      },
      max_samples: 6,
      min_samples: 2,
    },
    kriging_method: { type: 'ordinary' },
    block_discretisation: { nx: 3, ny: 3, nz: 1 },
  },
  view: [
    {
      kind: 'map',
      title: 'Estimates',
      grid: 'parameters.target.grid',
      points: 'parameters.target.coordinates',
      layers: [
        { title: 'Estimate', values: 'results.target.values' },
        { title: 'Variance', values: 'results.target.variances' },
      ],
      samples: { coordinates: 'parameters.source.coordinates', values: 'parameters.source.values' },
    },
    { kind: 'histogram', title: 'Distribution of the estimates', values: 'results.target.values' },
  ],
  timeoutSeconds: 3600,
  run,
});
