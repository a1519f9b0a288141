import type { Coordinates } from '../coordinates.schema.js';
import type { Magnitudes } from '../coordinate-tolerance.js';
import type { Grid, Target } from './target.schema.js';

/** Where the points of a target are, as threads hand it to one another: a grid, or x, y, z of each point. */
export type TargetPlaces =
  | { readonly grid: Grid; readonly flat?: undefined }
  | { readonly grid?: undefined; readonly flat: Float64Array };

/** 2-D points get z = 0. */
export function placesOf({ grid, coordinates = [] }: Target): TargetPlaces {
  return grid ? { grid } : { flat: flattened(coordinates) };
}

function flattened(coordinates: Coordinates): Float64Array {
  const flat = new Float64Array(new SharedArrayBuffer(24 * coordinates.length));
  coordinates.forEach((place, index) => {
    flat[3 * index] = place[0]!;
    flat[3 * index + 1] = place[1]!;
    flat[3 * index + 2] = place[2] ?? 0;
  });
  return flat;
}

/** The points (or cell centres) to estimate, one at a time: a grid takes no memory. */
export class TargetPoints {
  /** The point of the last {@link moveTo}; 2-D points have z = 0. */
  x = 0;
  y = 0;
  z = 0;
  readonly #places: TargetPlaces;

  constructor(places: TargetPlaces) {
    this.#places = places;
  }

  /** @param index grid cells run along x fastest, then y, then z */
  moveTo(index: number): void {
    const { grid, flat } = this.#places;
    if (grid) this.#moveToCell(grid, index);
    else {
      this.x = flat[3 * index]!;
      this.y = flat[3 * index + 1]!;
      this.z = flat[3 * index + 2]!;
    }
  }

  /** Largest absolute coordinate along each axis, the corners of a grid included. */
  get magnitudes(): Magnitudes {
    const { grid, flat } = this.#places;
    const most: [number, number, number] = [0, 0, 0];
    if (grid) {
      grid.origin.forEach((from, axis) => {
        const end = from + grid.spacing[axis]! * grid.size[axis]!;
        most[axis] = Math.max(Math.abs(from), Math.abs(end));
      });
    } else {
      for (let i = 0; i < flat.length; i++) {
        most[i % 3] = Math.max(most[i % 3]!, Math.abs(flat[i]!));
      }
    }
    return most;
  }

  #moveToCell({ origin, spacing, size }: Grid, index: number): void {
    const columns = size[0]!;
    const rows = size[1]!;
    const column = index % columns;
    const line = (index - column) / columns;
    const row = line % rows;
    this.x = origin[0]! + (column + 0.5) * spacing[0]!;
    this.y = origin[1]! + (row + 0.5) * spacing[1]!;
    this.z = origin.length < 3 ? 0 : origin[2]! + ((line - row) / rows + 0.5) * spacing[2]!;
  }
}
