import type { CoordinateTolerance } from '../coordinate-tolerance.js';
import { KrigingSystem, SingularSystem } from '../kriging/system/kriging-system.js';
import { NeighborSearch } from '../neighbors/search/neighbor-search.js';
import type { Neighborhood } from '../neighbors/neighborhood.schema.js';
import { SampleSet } from '../samples/sample-set.js';
import type { Source } from '../samples/source.schema.js';
import { dividedBy, sumOf } from '../variogram-model/variogram-scale.js';
import { VariogramFunction } from '../variogram-model/variogram-function.js';
import type { VariogramModel } from '../variogram-model/variogram.schema.js';

type KrigingMethod = ConstructorParameters<typeof KrigingSystem>[2];

/** How samples are estimated, as in the kriging task. */
interface Estimator {
  readonly variogram: VariogramModel;
  readonly neighborhood: Neighborhood;
  readonly method: KrigingMethod;
  readonly tolerance: CoordinateTolerance;
}

/** The estimate of a sample from those of other folds; NaN with too few of them. */
export interface LeftOut {
  /** Its place in the source. */
  readonly sample: number;
  readonly value: number;
  readonly variance: number;
}

/** Thrown when the system of a left-out sample is singular. */
export class SingularFold extends Error {
  override readonly name = 'SingularFold';

  /** @param sample left out @param culprits samples that tell the same, by their places in the source */
  constructor(
    readonly sample: number,
    readonly culprits: readonly number[],
  ) {
    super(`Without sample ${sample} the system of ${culprits.join(' and ')} is singular.`);
  }
}

/**
 * Estimates samples from all samples of the other folds.
 * @param samples which of the source take part, ascending
 * @param folds the number of the fold of each sample of the source
 * @throws SingularFold
 */
export function* leaveOut(
  source: Source,
  samples: readonly number[],
  folds: readonly number[],
  estimator: Estimator,
): Generator<LeftOut> {
  const members = new Map<number, number[]>();
  samples.forEach((sample) => {
    const fold = folds[sample]!;
    const left = members.get(fold);
    if (left) left.push(sample);
    else members.set(fold, [sample]);
  });
  const all = [...samples];
  if (members.size === all.length && isPlain(estimator.neighborhood)) {
    yield* oneByOne(source, all, estimator);
    return;
  }
  for (const [fold, left] of members) {
    const kept = all.filter((sample) => folds[sample] !== fold);
    yield* foldByFold(source, left, kept, estimator);
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
function* oneByOne(source: Source, all: number[], estimator: Estimator): Generator<LeftOut> {
  const { neighborhood } = estimator;
  const kept = new KeptSamples(source, all, {
    ...estimator,
    neighborhood: {
      ...neighborhood,
      max_samples: neighborhood.max_samples + 1,
      min_samples: neighborhood.min_samples + 1,
    },
  });
  for (const sample of all) yield kept.estimate(sample);
}

/**
 * The samples of a fold from all that are kept. Each fold gets an index of its own: what a search finds
 * is what it would find, had the fold never been sampled, whatever the limits of the search are.
 */
function* foldByFold(
  source: Source,
  left: readonly number[],
  rest: number[],
  estimator: Estimator,
): Generator<LeftOut> {
  const kept = new KeptSamples(source, rest, estimator);
  for (const sample of left) yield kept.estimate(sample);
}

/** Samples that others are estimated from. */
class KeptSamples {
  readonly #source: Source;
  readonly #kept: number[];
  readonly #search: NeighborSearch;
  readonly #system: KrigingSystem;
  readonly #others: Uint32Array;
  readonly #listed: Uint32Array;
  readonly #sill: number;

  /** @param kept their places in the source */
  constructor(
    source: Source,
    kept: number[],
    { variogram, neighborhood, method, tolerance }: Estimator,
  ) {
    const samples = new SampleSet({
      coordinates: kept.map((i) => source.coordinates[i]!),
      values: kept.map((i) => source.values[i]!),
    });
    this.#source = source;
    this.#kept = kept;
    this.#listed = samples.listed;
    this.#search = new NeighborSearch(samples, neighborhood, tolerance);
    // With a sill of 1, as in the kriging task.
    this.#sill = sumOf(variogram);
    this.#system = new KrigingSystem(
      samples,
      new VariogramFunction(dividedBy(this.#sill, variogram)),
      method,
      undefined,
      tolerance,
      this.#search.found.length,
    );
    this.#others = new Uint32Array(this.#search.found.length);
  }

  /**
   * Estimates a sample from those that are kept, and never from itself.
   * @throws SingularFold
   */
  estimate(sample: number): LeftOut {
    const [x = 0, y = 0, z = 0] = this.#source.coordinates[sample]!;
    const found = this.#search.around(x, y, z);
    let count = 0;
    for (let i = 0; i < found; i++) {
      const index = this.#search.found[i]!;
      if (this.#inSource(index) !== sample) this.#others[count++] = index;
    }
    if (count === 0) return { sample, value: NaN, variance: NaN };
    try {
      this.#system.estimate(this.#others, count, x, y, z);
    } catch (error) {
      throw error instanceof SingularSystem
        ? new SingularFold(
            sample,
            error.samples.map((index) => this.#inSource(index)),
          )
        : error;
    }
    return { sample, value: this.#system.value, variance: this.#system.variance * this.#sill };
  }

  /** @param index of a sample in the search and the system */
  #inSource(index: number): number {
    return this.#kept[this.#listed[index]!]!;
  }
}
