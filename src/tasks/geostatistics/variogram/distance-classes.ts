import type { SampleSet } from '../samples/sample-set.js';

/**
 * Rounding that coordinates may carry, relative to their magnitude: 2⁻⁴⁴, or 256 units in the last
 * place. A decimal fraction carries half a unit; adding an offset, turning and scaling a few more; a
 * spacing added up a thousand times about sixty. At 500,000 m it is 3e-8 m.
 */
const ROUNDING = 2 ** -44;
/** It is never more than this part of a class: coordinates that cannot resolve lag stay as they are. */
const MAX_OF_LAG = 1e-3;
/**
 * Rounding that the magnitude does not show, relative to lag: of coordinates that were moved to an
 * origin near by after they had been rounded, or converted to another unit and back.
 */
const LOST_OF_LAG = 1e-9;

/**
 * The classes of distances: class k holds what is longer than k · lag and at most (k + 1) · lag, up
 * to and including the cutoff. A distance that differs from a limit by no more than rounding is
 * at that limit, so that the classes of a regular grid do not depend on where it lies,
 * which way it points and in which unit it is given.
 */
export class DistanceClasses {
  readonly count: number;
  readonly #lag: number;
  readonly #cutoff: number;
  readonly #magnitudes: Float64Array;
  readonly #most: number;
  readonly #least: number;

  constructor({ size, x, y, z }: SampleSet, lag: number, cutoff: number) {
    this.count = Math.floor(cutoff / lag) + 1;
    this.#lag = lag;
    this.#cutoff = cutoff;
    this.#most = lag * MAX_OF_LAG;
    this.#least = lag * LOST_OF_LAG;
    this.#magnitudes = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      this.#magnitudes[i] = ROUNDING * Math.max(Math.abs(x[i]!), Math.abs(y[i]!), Math.abs(z[i]!));
    }
  }

  /**
   * The class of a pair.
   * @param i @param j the samples
   * @param distance between them, in the unit of the coordinates
   * @returns −1 beyond the cutoff
   */
  of(i: number, j: number, distance: number): number {
    const a = this.#magnitudes[i]!;
    const b = this.#magnitudes[j]!;
    const tolerance = Math.min(a > b ? a : b, this.#most) + this.#least;
    if (distance - this.#cutoff > tolerance) return -1;
    const index = Math.ceil((distance - tolerance) / this.#lag) - 1;
    return index < 0 ? 0 : Math.min(index, this.count - 1);
  }
}
