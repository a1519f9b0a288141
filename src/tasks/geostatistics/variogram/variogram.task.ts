import { z } from 'zod';
import { defineTask, type TaskContext } from '../../../compute/task.js';
import { nearDuplicates, NearestSamples } from '../samples/near-duplicates.js';
import { SampleSet } from '../samples/sample-set.js';
import { sourceSchema } from '../samples/source.schema.js';
import {
  alphaMistake,
  alphaSchema,
  variogramSchema,
  variogramTypeSchema,
} from '../variogram-model/variogram.schema.js';
import { tellWarnings, warningsSchema } from '../warning.schema.js';
import { WorkPace } from '../work-pace.js';
import { experimentalSemivariogram } from './experimental-semivariogram.js';
import { refuseFit, refuseToFit } from './fit-refusal.js';
import { doubtsOf } from './fit-warning.js';
import { fitVariogram } from './variogram-fit.js';

/** All pairs are looked at: 50,000 samples are 1.25 billion pairs, a few seconds of computing. */
const MAX_SAMPLES = 50_000;
/** Far more classes than anyone can look at, and still small. */
const MAX_LAGS = 10_000;

/** Closer than this part of lag is at one place, whatever the usual spacing: weights stay finite. */
const NO_DISTANCE = 1e-6;

const length = z.number().min(1e-9).max(1e12);

const parameters = z
  .strictObject({
    source: sourceSchema(MAX_SAMPLES),
    lag: length.meta({
      description: 'Width of the distance classes, in the unit of the coordinates',
    }),
    cutoff: length.meta({
      description: 'Longest distance of a pair, in the unit of the coordinates',
    }),
    model: variogramTypeSchema.default('spherical').meta({
      description:
        'Shape of the structure to fit; `linear` is a straight line (contribution at h = cutoff)',
    }),
    alpha: alphaSchema,
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { source, lag, cutoff, model, alpha } = context.value;
    const refuse = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message });
    if (lag > cutoff) refuse(['lag'], `Expected at most cutoff (${cutoff}), not ${lag}`);
    if (cutoff / lag > MAX_LAGS) refuse(['lag'], `Expected at most ${MAX_LAGS} lags up to cutoff`);
    const wrongAlpha = alphaMistake(model, alpha);
    if (wrongAlpha) refuse(['alpha'], wrongAlpha);
    if (source.coordinates.length < 2)
      refuse(['source', 'coordinates'], 'Expected at least 2 samples');
  });

const results = z.strictObject({
  message: z.string().meta({ description: 'One line for people' }),
  lags: z
    .array(
      z.strictObject({
        pairs: z.int().min(1).meta({ description: 'Number of pairs' }),
        distance: z.number().min(0).meta({ description: 'Mean distance of the pairs' }),
        semivariance: z
          .number()
          .min(0)
          .meta({ description: 'Half the mean squared difference of the pairs' }),
      }),
    )
    .meta({ description: 'The experimental semivariogram; classes without pairs are left out' }),
  model: variogramSchema.meta({
    description:
      'The fitted model, isotropic, as the member `variogram` of the kriging task takes it',
  }),
  warnings: warningsSchema,
  summary: z.strictObject({
    samples: z.int().min(2).meta({ description: 'Number of samples' }),
    pairs: z.int().min(0).meta({ description: 'Pairs up to the cutoff' }),
    weighted_sum_of_squares: z.number().min(0).meta({
      description: 'Σ pairs / distance² · (semivariance − model)²: what the fit makes smallest',
    }),
    range_at_limit: z.boolean().meta({
      description:
        'True when the semivariogram keeps rising and the range stopped at the longest one tried',
    }),
    seconds: z.number().min(0).meta({ description: 'Time of computing' }),
  }),
});

/** @throws TaskProblem 422 `too-few-lags`, `no-variation` or `values-out-of-scale`: nothing fits */
function run(
  { source, lag, cutoff, model, alpha }: z.output<typeof parameters>,
  context: TaskContext,
): z.input<typeof results> {
  const samples = new SampleSet(source);
  const pace = new WorkPace(context, (done) => `Compared ${done} pairs of samples`);
  const nearest = new NearestSamples(samples.size, lag * NO_DISTANCE);
  const lags = context.span('compare pairs', () =>
    experimentalSemivariogram(samples, lag, cutoff, nearest, pace),
  );
  const { negligible } = nearest;
  refuseToFit(lags, negligible, nearest.pairs, samples);
  const fit = context.span('fit model', () =>
    fitVariogram(lags, { type: model, alpha }, cutoff, negligible),
  );
  refuseFit(fit, samples);
  const { nugget, contribution, range } = fit;
  const pairs = lags.reduce((sum, item) => sum + item.pairs, 0);
  const warnings = [
    ...nearDuplicates(
      nearest,
      samples,
      'distance classes of such pairs alone are not fitted to. Is one of each a slip of the pen?',
    ),
    ...doubtsOf(fit),
  ];
  return {
    message: tellWarnings(
      `Fitted a variogram (${model}) to ${lags.length} lags of ${pairs} pairs`,
      warnings,
    ),
    lags,
    model: {
      nugget,
      structures: [
        {
          variogram_type: model,
          ...(alpha !== undefined && { alpha }),
          contribution,
          anisotropy: {
            ellipsoid_ranges: { major: range, semi_major: range, minor: range },
            rotation: { dip_azimuth: 0, dip: 0, pitch: 0 },
          },
        },
      ],
    },
    warnings,
    summary: {
      samples: samples.size,
      pairs,
      weighted_sum_of_squares: fit.weightedSumOfSquares,
      range_at_limit: fit.edge === 'longest',
      seconds: pace.seconds,
    },
  };
}

export default defineTask({
  runner: 'thread',
  topic: 'geostatistics',
  name: 'variogram',
  displayName: 'Variogram',
  version: '1.1.0',
  description:
    'Computes the experimental omnidirectional semivariogram of samples (lag classes closed on the ' +
    'right) and fits one structure and a nugget to it by weighted least squares with weights ' +
    'pairs / distance². The fitted `model` is what the kriging task takes as `variogram`.',
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
    lag: 20,
    cutoff: 80,
    model: 'spherical',
  },
  view: [
    {
      kind: 'line',
      title: 'Semivariogram',
      x: { title: 'Distance' },
      y: { title: 'Semivariance' },
      series: [
        {
          title: 'Experimental',
          x: 'results.lags[].distance',
          y: 'results.lags[].semivariance',
          style: 'points',
          notes: { title: 'pairs', values: 'results.lags[].pairs' },
        },
      ],
      variogram: 'results.model',
    },
    { kind: 'table', title: 'Lags', rows: 'results.lags' },
  ],
  timeoutSeconds: 600,
  run,
});
