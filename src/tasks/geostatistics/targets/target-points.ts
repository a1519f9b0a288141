import type { Magnitudes } from '../coordinate-tolerance.js';
import { type Passes, readyFilter } from '../samples/filter-evaluation.js';
import { countOf, type Grid, type Target } from './target.schema.js';

/** The points (or cell centres) to estimate, computed one at a time: a grid takes no memory. */
export class TargetPoints {
  readonly count: number;
  /** The point of the last {@link moveTo}; 2-D points have z = 0. */
  x = 0;
  y = 0;
  z = 0;
  readonly #target: Target;

  readonly #passes: Passes | undefined;

  constructor(target: Target) {
    this.#target = target;
    this.count = countOf(target);
    if (target.filter) this.#passes = readyFilter(target.filter, target.attributes ?? {});
  }

  /** Whether `target.filter` asks for an estimate at the point of an index. */
  isAsked(index: number): boolean {
    return this.#passes?.(index) ?? true;
  }

  /** @param index 0 … count − 1; grid cells run along x fastest, then y, then z */
  moveTo(index: number): void {
    const { grid, coordinates } = this.#target;
    if (grid) this.#moveToCell(grid, index);
    else {
      const point = coordinates?.[index];
      this.x = point?.[0] ?? 0;
      this.y = point?.[1] ?? 0;
      this.z = point?.[2] ?? 0;
    }
  }

  /** Largest absolute coordinate along each axis, the corners of a grid included. */
  get magnitudes(): Magnitudes {
    const { grid, coordinates = [] } = this.#target;
    const most: [number, number, number] = [0, 0, 0];
    const corners = grid
      ? [
          grid.origin,
          grid.origin.map((from, axis) => from + grid.spacing[axis]! * grid.size[axis]!),
        ]
      : coordinates;
    for (const place of corners) {
      for (let axis = 0; axis < place.length; axis++) {
        most[axis] = Math.max(most[axis]!, Math.abs(place[axis]!));
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
