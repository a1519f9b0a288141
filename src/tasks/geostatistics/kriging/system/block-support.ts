import type { Grid } from '../../targets/target.schema.js';
import type { Places, VariogramFunction } from '../../variogram-model/variogram-function.js';
import type { Discretisation } from '../discretisation.schema.js';

/**
 * A block as the centres of equal sub-blocks (Journel & Huijbregts 1978, V.A.1; Isaaks & Srivastava
 * 1989, chapter 13).
 *
 * The nugget is a structure far smaller than the distance between sub-points: it averages out over
 * the block. So it counts in full between a sample and a block and within a block, even where a
 * sample and a sub-point, or a sub-point and itself, coincide. (gstat has the same convention.)
 */
export class BlockSupport {
  /** Mean semivariance between two points of the block, γ̄(v, v). */
  readonly within: number;
  readonly #variogram: VariogramFunction;
  /** Ways from the centre of the block to those of its parts. */
  readonly #parts: Places;

  constructor(variogram: VariogramFunction, grid: Grid, { nx, ny, nz }: Discretisation) {
    this.#variogram = variogram;
    const [width, depth, height = 0] = grid.spacing as [number, number, number?];
    const each = (of: (index: number) => number) =>
      Float64Array.from({ length: nx * ny * nz }, (_, index) => of(index));
    this.#parts = {
      x: each((index) => offset(index % nx, nx, width)),
      y: each((index) => offset(Math.floor(index / nx) % ny, ny, depth)),
      z: each((index) => offset(Math.floor(index / (nx * ny)), nz, height)),
    };
    const { x, y, z } = this.#parts;
    this.within = x.reduce((sum, _, i) => sum + this.#to(x[i]!, y[i]!, z[i]!), 0) / x.length;
  }

  /**
   * Mean semivariances γ̄ between samples and the block around a point.
   * @param semivariances receives `count` numbers
   */
  to(
    { x: xs, y: ys, z: zs }: Places,
    count: number,
    x: number,
    y: number,
    z: number,
    semivariances: Float64Array,
  ): void {
    for (let i = 0; i < count; i++) {
      semivariances[i] = this.#to(xs[i]! - x, ys[i]! - y, zs[i]! - z);
    }
  }

  /** Of the way from the centre. */
  #to(dx: number, dy: number, dz: number): number {
    const parts = this.#parts;
    return (
      this.#variogram.nugget + this.#variogram.meanStructured(parts, parts.x.length, dx, dy, dz)
    );
  }
}

/** From the centre of a block to the centre of its sub-block `index` of `count`. */
function offset(index: number, count: number, size: number): number {
  return ((index + 0.5) / count - 0.5) * size;
}
