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
 * Estimates the samples of one fold after another from all samples of the other folds, in the order
 * of the folds' first samples. Each fold gets an index of its own: what a search finds is then what it
 * would find, had the fold never been sampled, whatever the limits of the search are.
 * @throws SingularFold
 */
export function* leaveOut(
  samples: SampleSet,
  folds: readonly number[],
  { gamma, neighborhood, method }: Estimator,
): Generator<LeftOut> {
  const members = new Map<number, number[]>();
  folds.forEach((fold, sample) => {
    const left = members.get(fold);
    if (left) left.push(sample);
    else members.set(fold, [sample]);
  });
  for (const [fold, left] of members) {
    const kept = Uint32Array.from(folds.keys()).filter((sample) => folds[sample] !== fold);
    const rest = only(samples, kept);
    const search = new NeighborSearch(rest, neighborhood);
    const system = new KrigingSystem(rest, gamma, method, undefined);
    for (const sample of left) {
      const [x, y, z] = [samples.x[sample]!, samples.y[sample]!, samples.z[sample]!];
      const count = search.around(x, y, z);
      if (count === 0) {
        yield { sample, value: NaN, variance: NaN };
        continue;
      }
      try {
        system.estimate(search.found, count, x, y, z);
      } catch (error) {
        throw error instanceof SingularSystem
          ? new SingularFold(sample, kept[error.sample]!)
          : error;
      }
      yield { sample, value: system.value, variance: system.variance };
    }
  }
}

/** Some of the samples, in their order. */
function only({ dimension, x, y, z, values }: SampleSet, kept: Uint32Array): SampleSet {
  return new SampleSet({
    coordinates: Array.from(kept, (i) => [x[i]!, y[i]!, z[i]!].slice(0, dimension)),
    values: Array.from(kept, (i) => values[i]!),
  });
}
