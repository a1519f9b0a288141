import type { Grid } from '../targets/target.schema.js';
import type { VariogramFunction } from '../variogram-model/variogram-function.js';
import type { Discretisation } from './discretisation.schema.js';

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
  readonly #offsets: readonly (readonly [x: number, y: number, z: number])[];

  constructor(variogram: VariogramFunction, grid: Grid, { nx, ny, nz }: Discretisation) {
    this.#variogram = variogram;
    const [width, depth, height = 0] = grid.spacing as [number, number, number?];
    const offsets: [number, number, number][] = [];
    for (let k = 0; k < nz; k++) {
      for (let j = 0; j < ny; j++) {
        for (let i = 0; i < nx; i++) {
          offsets.push([offset(i, nx, width), offset(j, ny, depth), offset(k, nz, height)]);
        }
      }
    }
    this.#offsets = offsets;
    this.within = offsets.reduce((sum, [x, y, z]) => sum + this.to(x, y, z), 0) / offsets.length;
  }

  /** Mean semivariance γ̄ between a sample and the block, given the way from sample to centre. */
  to(dx: number, dy: number, dz: number): number {
    let sum = 0;
    for (const [x, y, z] of this.#offsets)
      sum += this.#variogram.structured(dx + x, dy + y, dz + z);
    return this.#variogram.nugget + sum / this.#offsets.length;
  }
}

/** From the centre of a block to the centre of its sub-block `index` of `count`. */
function offset(index: number, count: number, size: number): number {
  return ((index + 0.5) / count - 0.5) * size;
}
