import type { Coordinates } from '../coordinates.schema.js';
import { readyFilter } from '../samples/filter-evaluation.js';
import type { Grid, Target } from './target.schema.js';

/** Cells of a tile along an axis: 256 in 2-D, 512 in 3-D. */
const TILE = { 2: 16, 3: 8 } as const;
/** Parts of an axis, as a power of two: 30 bits in all. */
const BITS = { 2: 15, 3: 10 } as const;
/** Room for the index of a point behind its place in the order: more than there are points. */
const INDICES = 2 ** 21;

/**
 * The points that are asked for, each soon after its neighbours: what was found out for one then serves
 * the next. Grids go tile by tile, lists of points along a Z-order curve (Morton 1966). The order is for
 * speed alone: no estimate depends on it.
 * @returns indices of the target
 */
export function visitOrder(target: Target): Uint32Array {
  const order = target.grid ? tileByTile(target.grid) : alongCurve(target.coordinates ?? []);
  if (!target.filter) return order;
  const isAsked = readyFilter(target.filter, target.attributes ?? {});
  return order.filter((index) => isAsked(index));
}

function tileByTile({ size }: Grid): Uint32Array {
  const [columns = 1, rows = 1, layers = 1] = size;
  const tile = size.length === 2 ? TILE[2] : TILE[3];
  const order = new Uint32Array(columns * rows * layers);
  let count = 0;
  for (let c = 0; c < layers; c += tile) {
    for (let b = 0; b < rows; b += tile) {
      for (let a = 0; a < columns; a += tile) {
        for (let k = c; k < Math.min(c + tile, layers); k++) {
          for (let j = b; j < Math.min(b + tile, rows); j++) {
            const row = (k * rows + j) * columns;
            for (let i = a; i < Math.min(a + tile, columns); i++) order[count++] = row + i;
          }
        }
      }
    }
  }
  return order;
}

function alongCurve(coordinates: Coordinates): Uint32Array {
  const dimension = coordinates[0]?.length === 3 ? 3 : 2;
  const bits = BITS[dimension];
  const least = Array.from({ length: dimension }, () => Infinity);
  const most = Array.from({ length: dimension }, () => -Infinity);
  for (const place of coordinates) {
    for (let axis = 0; axis < dimension; axis++) {
      least[axis] = Math.min(least[axis]!, place[axis]!);
      most[axis] = Math.max(most[axis]!, place[axis]!);
    }
  }
  // The same part for all axes: the curve has no preferred direction.
  const part = Math.max(...most.map((end, axis) => end - least[axis]!)) / (2 ** bits - 1);
  const keys = new Float64Array(coordinates.length);
  coordinates.forEach((place, index) => {
    let key = 0;
    for (let axis = 0; axis < dimension; axis++) {
      const at = part > 0 ? Math.floor((place[axis]! - least[axis]!) / part) : 0;
      key |= (dimension === 2 ? spreadByTwo(at) : spreadByThree(at)) << axis;
    }
    keys[index] = key * INDICES + index;
  });
  return Uint32Array.from(keys.sort(), (key) => key % INDICES);
}

/** Puts a 0 before each of 15 bits. */
function spreadByTwo(bits: number): number {
  let spread = bits & 0x7fff;
  spread = (spread | (spread << 8)) & 0x00ff00ff;
  spread = (spread | (spread << 4)) & 0x0f0f0f0f;
  spread = (spread | (spread << 2)) & 0x33333333;
  return (spread | (spread << 1)) & 0x55555555;
}

/** Puts two 0s before each of 10 bits. */
function spreadByThree(bits: number): number {
  let spread = bits & 0x3ff;
  spread = (spread | (spread << 16)) & 0x030000ff;
  spread = (spread | (spread << 8)) & 0x0300f00f;
  spread = (spread | (spread << 4)) & 0x030c30c3;
  return (spread | (spread << 2)) & 0x09249249;
}
