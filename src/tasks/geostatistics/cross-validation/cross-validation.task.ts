import { z } from 'zod';
import { defineTask, type TaskContext } from '../../../compute/task.js';
import { TaskProblem } from '../../../compute/task.problem.js';
import { CoordinateTolerance } from '../coordinate-tolerance.js';
import { blank, orNull } from '../targets/estimates-summary.js';
import kriging from '../kriging/kriging.task.js';
import { nearDuplicates, NearestSamples } from '../samples/near-duplicates.js';
import { SampleSet } from '../samples/sample-set.js';
import { sourceSchema } from '../samples/source.schema.js';
import { tellWarnings, warningsSchema } from '../warning.schema.js';
import { WorkPace } from '../work-pace.js';
import { assign, foldsMistake, foldsSchema } from './fold.schema.js';
import { leaveOut, SingularFold } from './left-out.js';
import { validate, validationSummarySchema } from './validation-summary.js';

/** Every fold of several samples indexes all others, and near-duplicates are looked for in all pairs. */
const MAX_SAMPLES = 20_000;

const { variogram, neighborhood, kriging_method } = kriging.parameters.shape;

const parameters = z
  .strictObject({
    source: sourceSchema(MAX_SAMPLES),
    variogram,
    neighborhood,
    kriging_method,
    folds: foldsSchema(MAX_SAMPLES),
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { source, folds, ...estimator } = context.value;
    const refuse = (path: (string | number)[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message });
    const count = source.coordinates.length;
    if (count < 2) refuse(['source', 'coordinates'], 'Expected at least 2 samples');
    const mistake = foldsMistake(folds, count);
    if (mistake) refuse(['folds', mistake.path], mistake.message);
    if (estimator.kriging_method.type !== 'simple') return;
    estimator.variogram.structures.forEach(({ variogram_type }, index) => {
      if (variogram_type !== 'linear') return;
      const message =
        'A linear structure has no sill, which simple kriging needs: use ordinary kriging';
      refuse(['variogram', 'structures', index, 'variogram_type'], message);
    });
  });

const perSample = z.array(z.number().nullable());

const results = z.strictObject({
  message: z.string().meta({ description: 'One line for people' }),
  samples: z
    .strictObject({
      observed: z.array(z.number()).meta({ description: 'The measured values' }),
      estimates: perSample.meta({
        description:
          'Estimates from the other folds; null with too few samples in the search, and where source.filter is not true',
      }),
      variances: z
        .array(z.number().min(0).nullable())
        .meta({ description: 'Kriging variances, in squared units of the values' }),
      residuals: perSample.meta({ description: 'Measured minus estimated' }),
      z_scores: perSample.meta({
        description: 'Residual divided by the root of the kriging variance; null where that is 0',
      }),
      folds: z.array(z.int().min(0)).meta({ description: 'The number of the fold of each sample' }),
    })
    .meta({ description: 'One item for each sample, in the order of the source' }),
  warnings: warningsSchema,
  summary: validationSummarySchema,
});

/**
 * Estimates every sample from those of other folds.
 * @throws TaskProblem 422 `duplicate-samples` or `singular-kriging-system`
 */
function run(
  { source, folds, ...estimator }: z.output<typeof parameters>,
  context: TaskContext,
): z.input<typeof results> {
  const samples = new SampleSet(source);
  const tolerance = new CoordinateTolerance(samples.magnitudes);
  samples.refuseDuplicates(tolerance);
  const size = source.values.length;
  const kept = [...samples.listed].toSorted((a, b) => a - b);
  const pace = new WorkPace(context, (done) => `Estimated ${done} of ${kept.length} samples`);
  pace.tell(0, kept.length);
  const assignment = assign(folds, size);
  const estimates = blank(size);
  const variances = blank(size);
  const residuals = blank(size);
  const zScores = blank(size);
  let done = 0;
  try {
    for (const { sample, value, variance } of leaveOut(source, kept, assignment, {
      variogram: estimator.variogram,
      neighborhood: estimator.neighborhood,
      method: estimator.kriging_method,
      tolerance,
    })) {
      estimates[sample] = value;
      variances[sample] = variance;
      residuals[sample] = source.values[sample]! - value;
      const score = residuals[sample] / Math.sqrt(variance);
      // 0 / 0 and 1 / 0 say nothing: the sample has a twin in another fold.
      zScores[sample] = Number.isFinite(score) ? score : NaN;
      pace.tell(++done, kept.length);
    }
  } catch (error) {
    throw error instanceof SingularFold ? singular(error) : error;
  }
  const warnings = nearDuplicates(
    nearestOf(samples),
    samples,
    'a sample with a near-duplicate in another fold is estimated from it, and so too well',
  );
  const summary = validate(source.values, estimates, zScores);
  const count = new Set(kept.map((sample) => assignment[sample])).size;
  const missing = kept.length - summary.estimated;
  const told = `Estimated ${summary.estimated} of ${kept.length} samples from the others, in ${count} folds`;
  const rest = missing > 0 ? `; the other ${missing} have too few samples in the search` : '';
  return {
    message: tellWarnings(`${told}${rest}`, warnings),
    samples: {
      observed: source.values,
      estimates: orNull(estimates),
      variances: orNull(variances),
      residuals: orNull(residuals),
      z_scores: orNull(zScores),
      folds: assignment,
    },
    warnings,
    summary: { samples: kept.length, folds: count, ...summary, seconds: pace.seconds },
  };
}

function nearestOf({ size, x, y, z: heights }: SampleSet): NearestSamples {
  const nearest = new NearestSamples(size);
  for (let i = 1; i < size; i++) {
    for (let j = 0; j < i; j++) {
      const dx = x[i]! - x[j]!;
      const dy = y[i]! - y[j]!;
      const dz = heights[i]! - heights[j]!;
      nearest.meet(i, j, dx * dx + dy * dy + dz * dz);
    }
  }
  return nearest;
}

function singular({ sample, culprits }: SingularFold): TaskProblem {
  return new TaskProblem({
    status: 422,
    slug: 'singular-kriging-system',
    title: 'The kriging system is singular.',
    detail:
      `Without sample ${sample} the variogram makes the samples around it so alike, most of all ` +
      `${culprits.join(' and ')} (source.coordinates, counted from 0), that rounding would decide the ` +
      'weights. Add a small nugget to the variogram (often 1e-6 of the sill is enough), shorten its ' +
      'ranges, lower neighborhood.max_samples, or remove samples that are almost at the same place.',
  });
}

const { source: exampleSource, variogram: exampleVariogram } = kriging.example;

export default defineTask({
  runner: 'thread',
  topic: 'geostatistics',
  name: 'cross-validation',
  displayName: 'Cross-validation',
  version: '1.0.0',
  description:
    'Estimates every sample by kriging from the samples of other folds, and compares with what was ' +
    'measured: leave-one-out, k folds dealt by a seed, or folds as given. Variogram, neighborhood and ' +
    'method are those of the kriging task: a way to choose among them before a map is made.',
  parameters,
  results,
  example: {
    source: exampleSource,
    variogram: exampleVariogram,
    neighborhood: { ...kriging.example.neighborhood, max_samples: 5, min_samples: 1 },
    kriging_method: { type: 'ordinary' },
    folds: { type: 'k_fold', k: 4, seed: 1 },
  },
  view: [
    {
      kind: 'line',
      title: 'Estimated and measured',
      x: { title: 'Measured' },
      y: { title: 'Estimated' },
      series: [
        {
          title: 'Samples',
          x: 'results.samples.observed',
          y: 'results.samples.estimates',
          style: 'points',
        },
      ],
    },
    { kind: 'histogram', title: 'Residuals', values: 'results.samples.residuals' },
    { kind: 'table', title: 'Samples', rows: 'results.samples' },
  ],
  timeoutSeconds: 3600,
  run,
});
