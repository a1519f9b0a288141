import { SingularSystem, KrigingSystem } from '../kriging/kriging.system.js';
import { NeighborSearch } from '../neighbor.search.js';
import type { Neighborhood } from '../neighborhood.schema.js';
import { SampleSet } from '../sample.set.js';
import type { VariogramFunction } from '../variogram.function.js';

type KrigingMethod = ConstructorParameters<typeof KrigingSystem>[2];

/** How samples are estimated, as in the kriging task. */
interface Estimator {
  readonly gamma: VariogramFunction;
  readonly neighborhood: Neighborhood;
  readonly method: KrigingMethod;
}

/** The estimate of a sample from those of other folds; NaN with too few of them. */
export interface LeftOut {
  readonly sample: number;
  readonly value: number;
  readonly variance: number;
}

/** Thrown when the system of a left-out sample is singular. */
export class SingularFold extends Error {
  override readonly name = 'SingularFold';

  /** @param sample left out @param culprit the sample that repeats what the others tell */
  constructor(
    readonly sample: number,
    readonly culprit: number,
  ) {
    super(`Sample ${culprit} is determined by its neighbours when ${sample} is left out.`);
  }
}

/**
 * Estimates every sample from all samples of the other folds.
 * @param folds the number of the fold of each sample
 * @throws SingularFold
 */
export function* leaveOut(
  samples: SampleSet,
  folds: readonly number[],
  estimator: Estimator,
): Generator<LeftOut> {
  const members = new Map<number, number[]>();
  folds.forEach((fold, sample) => {
    const left = members.get(fold);
    if (left) left.push(sample);
    else members.set(fold, [sample]);
  });
  if (members.size === folds.length && isPlain(estimator.neighborhood)) {
    yield* oneByOne(samples, estimator);
    return;
  }
  for (const [fold, left] of members) {
    yield* foldByFold(
      samples,
      left,
      Uint32Array.from(folds.keys()).filter((sample) => folds[sample] !== fold),
      estimator,
    );
  }
}

/** Members of a neighborhood that say how many nearest samples inside an ellipsoid are wanted. */
const PLAIN: readonly string[] = ['ellipsoid', 'max_samples', 'min_samples'];

/** True when a search finds the nearest samples and asks nothing else of them. */
function isPlain(neighborhood: Neighborhood): boolean {
  return Object.entries(neighborhood).every(
    ([name, limit]) => PLAIN.includes(name) || limit === undefined || limit === null,
  );
}

/**
 * Every sample from all others, with one index: the nearest one more than wanted are the sample itself
 * and what would be found without it.
 */
function* oneByOne(
  samples: SampleSet,
  { gamma, neighborhood, method }: Estimator,
): Generator<LeftOut> {
  const search = new NeighborSearch(samples, {
    ...neighborhood,
    max_samples: neighborhood.max_samples + 1,
    min_samples: neighborhood.min_samples + 1,
  });
  const system = new KrigingSystem(samples, gamma, method, undefined);
  const others = new Uint32Array(samples.size);
  for (let sample = 0; sample < samples.size; sample++) {
    const found = search.around(samples.x[sample]!, samples.y[sample]!, samples.z[sample]!);
    let count = 0;
    for (let i = 0; i < found; i++) {
      if (search.found[i] !== sample) others[count++] = search.found[i]!;
    }
    yield estimateOne(samples, sample, system, others, count, (index) => index);
  }
}

/**
 * The samples of a fold from all that are kept. Each fold gets an index of its own: what a search finds
 * is what it would find, had the fold never been sampled, whatever the limits of the search are.
 */
function* foldByFold(
  samples: SampleSet,
  left: readonly number[],
  kept: Uint32Array,
  { gamma, neighborhood, method }: Estimator,
): Generator<LeftOut> {
  const rest = only(samples, kept);
  const search = new NeighborSearch(rest, neighborhood);
  const system = new KrigingSystem(rest, gamma, method, undefined);
  for (const sample of left) {
    const count = search.around(samples.x[sample]!, samples.y[sample]!, samples.z[sample]!);
    yield estimateOne(samples, sample, system, search.found, count, (index) => kept[index]!);
  }
}

/** @param nameOf from an index of the system to one of `samples` */
function estimateOne(
  samples: SampleSet,
  sample: number,
  system: KrigingSystem,
  neighbors: Uint32Array,
  count: number,
  nameOf: (index: number) => number,
): LeftOut {
  if (count === 0) return { sample, value: NaN, variance: NaN };
  try {
    system.estimate(neighbors, count, samples.x[sample]!, samples.y[sample]!, samples.z[sample]!);
  } catch (error) {
    throw error instanceof SingularSystem ? new SingularFold(sample, nameOf(error.sample)) : error;
  }
  return { sample, value: system.value, variance: system.variance };
}

/** Some of the samples, in their order. */
function only({ dimension, x, y, z, values }: SampleSet, kept: Uint32Array): SampleSet {
  return new SampleSet({
    coordinates: Array.from(kept, (i) => [x[i]!, y[i]!, z[i]!].slice(0, dimension)),
    values: Array.from(kept, (i) => values[i]!),
  });
}
