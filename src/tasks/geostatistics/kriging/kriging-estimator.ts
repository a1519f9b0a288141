import { CoordinateTolerance, largest, magnitudesOf } from '../coordinate-tolerance.js';
import type { Neighborhood } from '../neighbors/neighborhood.schema.js';
import { NeighborSearch } from '../neighbors/search/neighbor-search.js';
import type { Samples } from '../samples/sample-set.js';
import type { PointEstimator } from '../sharing/helper-thread.js';
import { type TargetPlaces, TargetPoints } from '../targets/target-points.js';
import { VariogramFunction } from '../variogram-model/variogram-function.js';
import { dividedBy, sumOf } from '../variogram-model/variogram-scale.js';
import type { VariogramModel } from '../variogram-model/variogram.schema.js';
import type { Discretisation } from './discretisation.schema.js';
import { type DiagnosticArrays, KrigingDiagnostics } from './kriging-diagnostics.js';
import { BlockSupport } from './system/block-support.js';
import { type KrigingMethod, KrigingSystem, SingularSystem } from './system/kriging-system.js';

/** What is kriged from what, and how, as threads hand it to one another. */
export interface KrigingWork {
  /** At different places. */
  readonly samples: Samples;
  readonly places: TargetPlaces;
  readonly variogram: VariogramModel;
  readonly neighborhood: Neighborhood;
  readonly method: KrigingMethod;
  /** Of blocks; undefined for points. */
  readonly discretisation: Discretisation | undefined;
  /** Receive the estimates. */
  readonly values: Float64Array;
  readonly variances: Float64Array;
  readonly diagnostics: DiagnosticArrays;
}

/** A target whose samples do not determine its estimate, and the two of them that are most alike. */
export interface SingularTarget {
  readonly index: number;
  readonly samples: readonly [number, number];
}

/** Estimates points or blocks, in any order, one at a time. */
export class KrigingEstimator implements PointEstimator {
  /** The singular target with the smallest index of those met so far. */
  finding: SingularTarget | undefined;
  readonly #work: KrigingWork;
  readonly #points: TargetPoints;
  readonly #search: NeighborSearch;
  readonly #system: KrigingSystem;
  readonly #diagnostics: KrigingDiagnostics;
  readonly #total: number;

  constructor(work: KrigingWork) {
    const { samples, places, variogram, neighborhood, method, discretisation } = work;
    const points = new TargetPoints(places);
    const tolerance = new CoordinateTolerance(
      largest(magnitudesOf(samples), points.magnitudes),
      places.grid?.spacing,
    );
    const search = new NeighborSearch(samples, neighborhood, tolerance);
    // With a sill of 1: then no unit of the values can make numbers overflow or vanish.
    const total = sumOf(variogram);
    const gamma = new VariogramFunction(dividedBy(total, variogram));
    const block =
      places.grid && discretisation
        ? new BlockSupport(gamma, places.grid, discretisation)
        : undefined;
    const most = search.found.length;
    const system = new KrigingSystem(samples, gamma, method, block, tolerance, most);
    this.#work = work;
    this.#points = points;
    this.#search = search;
    this.#system = system;
    this.#total = total;
    this.#diagnostics = new KrigingDiagnostics(work.diagnostics, {
      samples,
      search,
      system,
      total,
    });
  }

  /** Estimates one point, unless one of a smaller index has failed. */
  estimate(index: number): void {
    if (this.finding && this.finding.index < index) return;
    this.#points.moveTo(index);
    const { x, y, z } = this.#points;
    const count = this.#search.around(x, y, z);
    if (count === 0) {
      this.#diagnostics.noteInvalid(index);
      return;
    }
    try {
      this.#system.estimate(this.#search.found, count, x, y, z);
    } catch (error) {
      if (!(error instanceof SingularSystem)) throw error;
      this.finding = { index, samples: error.samples };
      return;
    }
    this.#work.values[index] = this.#system.value;
    this.#work.variances[index] = this.#system.variance * this.#total;
    this.#diagnostics.note(index, count, x, y, z);
  }
}
