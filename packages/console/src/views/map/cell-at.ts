import type { Grid } from './map-model.js';

/** The index of the value at a place; -1: there is none. */
export function cellAt(grid: Grid, x: number, y: number, level: number): number {
  const [columns = 1, rows = 1] = grid.size;
  const i = Math.floor((x - (grid.origin[0] ?? 0)) / (grid.spacing[0] ?? 1));
  const j = Math.floor((y - (grid.origin[1] ?? 0)) / (grid.spacing[1] ?? 1));
  if (i < 0 || j < 0 || i >= columns || j >= rows) return -1;
  const cell = (level * rows + j) * columns + i;
  return grid.order === undefined ? cell : (grid.order[cell] as number);
}
