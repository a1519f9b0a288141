import { z } from 'zod';
import { defineTask, type TaskContext } from '../../../compute/task.js';
import { TaskProblem } from '../../../compute/task.problem.js';
import { SampleSet } from '../sample.set.js';
import { sourceSchema } from '../source.schema.js';
import { variogramSchema, variogramTypeSchema } from '../variogram.schema.js';
import { WorkPace } from '../work.pace.js';
import { experimentalSemivariogram, type Lag } from './experimental.semivariogram.js';
import { fitVariogram } from './variogram.fit.js';

/** All pairs are looked at: 50,000 samples are 1.25 billion pairs, a few seconds of computing. */
const MOST_SAMPLES = 50_000;
/** Far more classes than anyone can look at, and still small. */
const MOST_LAGS = 10_000;
/** A nugget, a contribution and a range are three unknowns. */
const FEWEST_LAGS = 3;

const length = z.number().min(1e-9).max(1e12);

const parameters = z
  .strictObject({
    source: sourceSchema(MOST_SAMPLES),
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
  })
  .check((context) => {
    if (context.issues.length > 0) return;
    const { source, lag, cutoff } = context.value;
    const refuse = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message });
    if (lag > cutoff) refuse(['lag'], `Expected at most cutoff (${cutoff}), not ${lag}`);
    if (cutoff / lag > MOST_LAGS)
      refuse(['lag'], `Expected at most ${MOST_LAGS} lags up to cutoff`);
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

/** @throws TaskProblem 422 `too-few-lags` or `no-variation`: there is nothing to fit */
function run(
  { source, lag, cutoff, model }: z.output<typeof parameters>,
  context: TaskContext,
): z.input<typeof results> {
  const samples = new SampleSet(source);
  const pace = new WorkPace(context, (done) => `Compared ${done} pairs of samples`);
  const lags = experimentalSemivariogram(samples, lag, cutoff, pace);
  refuseToFit(lags);
  const fit = fitVariogram(lags, model, cutoff);
  const { nugget, contribution, range } = fit;
  const pairs = lags.reduce((sum, item) => sum + item.pairs, 0);
  const rising = fit.rangeAtLimit
    ? '; the semivariogram does not level off within the cutoff, so its range is only a lower bound'
    : '';
  return {
    message: `Fitted a variogram (${model}) to ${lags.length} lags of ${pairs} pairs${rising}`,
    lags,
    model: {
      nugget,
      structures: [
        {
          variogram_type: model,
          contribution,
          anisotropy: {
            ellipsoid_ranges: { major: range, semi_major: range, minor: range },
            rotation: { dip_azimuth: 0, dip: 0, pitch: 0 },
          },
        },
      ],
    },
    summary: {
      samples: samples.size,
      pairs,
      weighted_sum_of_squares: fit.weightedSumOfSquares,
      range_at_limit: fit.rangeAtLimit,
      seconds: pace.seconds,
    },
  };
}

function refuseToFit(lags: readonly Lag[]): void {
  const usable = lags.filter(({ distance }) => distance > 0);
  if (usable.length < FEWEST_LAGS) {
    throw new TaskProblem({
      status: 422,
      slug: 'too-few-lags',
      title: 'There are too few lags to fit a variogram.',
      detail:
        `${usable.length} of the distance classes hold pairs of samples; the fit needs ${FEWEST_LAGS}. ` +
        'Raise cutoff, or lower lag.',
    });
  }
  if (usable.every(({ semivariance }) => semivariance === 0)) {
    throw new TaskProblem({
      status: 422,
      slug: 'no-variation',
      title: 'The values do not vary.',
      detail:
        'All pairs of samples up to cutoff have equal values, so there is no variogram to fit.',
    });
  }
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
  timeoutSeconds: 600,
  run,
});
