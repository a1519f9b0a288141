import type { z } from 'zod';
import { CoordinateTolerance, largest } from '../coordinate-tolerance.js';
import { NeighborSearch } from '../neighbors/search/neighbor-search.js';
import type { Neighborhood } from '../neighbors/neighborhood.schema.js';
import { SampleSet } from '../samples/sample-set.js';
import type { Source } from '../samples/source.schema.js';
import { blank } from '../targets/estimates-summary.js';
import { TargetPoints } from '../targets/target-points.js';
import type { Target } from '../targets/target.schema.js';
import { VariogramFunction } from '../variogram-model/variogram-function.js';
import { dividedBy, sumOf } from '../variogram-model/variogram-scale.js';
import type { VariogramModel } from '../variogram-model/variogram.schema.js';
import { BlockSupport } from './block-support.js';
import type { DiagnosticWishes, diagnosticResults } from './diagnostics.schema.js';
import { type Discretisation, isBlock } from './discretisation.schema.js';
import { KrigingDiagnostics } from './kriging-diagnostics.js';
import { type KrigingMethod, KrigingSystem, SingularSystem } from './kriging-system.js';

/** What is kriged from what, and how. */
export interface KrigingInput {
  readonly source: Source;
  readonly target: Target & { readonly diagnostics?: DiagnosticWishes };
  readonly variogram: VariogramModel;
  readonly neighborhood: Neighborhood;
  readonly method: KrigingMethod;
  readonly discretisation: Discretisation | undefined;
}

/** A target whose samples do not determine its estimate, and the two of them that are most alike. */
export interface SingularTarget {
  readonly index: number;
  readonly samples: readonly [number, number];
}

/** Estimates points or blocks, in any order, one at a time. */
export class KrigingEstimator {
  readonly samples: SampleSet;
  readonly points: TargetPoints;
  /** Of each point; NaN without an estimate. */
  readonly values: Float64Array;
  readonly variances: Float64Array;
  /** That with the smallest index of those met so far. */
  singular: SingularTarget | undefined;
  readonly #search: NeighborSearch;
  readonly #system: KrigingSystem;
  readonly #diagnostics: KrigingDiagnostics;
  readonly #total: number;

  /** @throws TaskProblem 422 `no-samples` or `duplicate-samples` */
  constructor({ source, target, variogram, neighborhood, method, discretisation }: KrigingInput) {
    const points = new TargetPoints(target);
    const samples = new SampleSet(source);
    const tolerance = new CoordinateTolerance(
      largest(samples.magnitudes, points.magnitudes),
      target.grid?.spacing,
    );
    // By the samples alone: whether two are one place does not hang on where one wants to know.
    samples.refuseDuplicates(new CoordinateTolerance(samples.magnitudes));
    const search = new NeighborSearch(samples, neighborhood, tolerance);
    // With a sill of 1: then no unit of the values can make numbers overflow or vanish.
    const total = sumOf(variogram);
    const gamma = new VariogramFunction(dividedBy(total, variogram));
    const block =
      target.grid && discretisation && isBlock(discretisation)
        ? new BlockSupport(gamma, target.grid, discretisation)
        : undefined;
    const most = search.found.length;
    const system = new KrigingSystem(samples, gamma, method, block, tolerance, most);
    this.samples = samples;
    this.points = points;
    this.values = blank(points.count);
    this.variances = blank(points.count);
    this.#search = search;
    this.#system = system;
    this.#total = total;
    const parts = { samples, search, system, total };
    this.#diagnostics = new KrigingDiagnostics(target.diagnostics, points.count, parts);
  }

  /** The diagnostics that were wanted. */
  get diagnostics(): z.input<typeof diagnosticResults> {
    return this.#diagnostics.results();
  }

  /** Estimates one point, unless one of a smaller index has failed. */
  estimate(index: number): void {
    if (this.singular && this.singular.index < index) return;
    const { points } = this;
    points.moveTo(index);
    const { x, y, z } = points;
    const count = this.#search.around(x, y, z);
    if (count === 0) {
      this.#diagnostics.noteInvalid(index);
      return;
    }
    try {
      this.#system.estimate(this.#search.found, count, x, y, z);
    } catch (error) {
      if (!(error instanceof SingularSystem)) throw error;
      this.singular = { index, samples: error.samples };
      return;
    }
    this.values[index] = this.#system.value;
    this.variances[index] = this.#system.variance * this.#total;
    this.#diagnostics.note(index, count, x, y, z);
  }
}
