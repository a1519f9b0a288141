import { valuesOf, widthOf } from '../../document/packed.js';
import type { Grid, MapModel } from './map-model.js';

/** Lines in one piece of the text: a million would be one enormous string. */
const PIECE = 20_000;

/** The map as a table, in pieces: coordinates (of cells their centres), then each layer. */
export function csvOf({ shape, layers }: MapModel): string[] {
  const count = layers[0]?.values.length ?? 0;
  const dimension = shape.kind === 'grid' ? shape.size.length : widthOf(shape.places);
  const head = [
    ...['x', 'y', 'z'].slice(0, dimension),
    ...layers.map(({ title }) => `"${title.replaceAll('"', '""')}"`),
  ].join(',');
  const place =
    shape.kind === 'grid'
      ? cellCentres(shape)
      : (index: number) => [
          ...valuesOf(shape.places).subarray(index * dimension, (index + 1) * dimension),
        ];
  const pieces = [`${head}\n`];
  for (let from = 0; from < count; from += PIECE) {
    const lines = Array.from({ length: Math.min(PIECE, count - from) }, (_, offset) => {
      const index = from + offset;
      const values = layers.map(({ values: list }) => {
        const value = list[index] as number;
        return Number.isNaN(value) ? '' : value;
      });
      return [...place(index), ...values].join(',');
    });
    pieces.push(`${lines.join('\n')}\n`);
  }
  return pieces;
}

function cellCentres({ origin, spacing, size, order }: Grid): (index: number) => number[] {
  const cellOf = new Map<number, number>();
  order?.forEach((index, cell) => index >= 0 && cellOf.set(index, cell));
  return (index) => {
    let rest = order === undefined ? index : (cellOf.get(index) ?? 0);
    return size.map((count, axis) => {
      const along = rest % count;
      rest = Math.floor(rest / count);
      return (origin[axis] ?? 0) + (along + 0.5) * (spacing[axis] ?? 0);
    });
  };
}
