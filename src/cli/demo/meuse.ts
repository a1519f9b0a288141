import { readFile } from 'node:fs/promises';
import type { ParametersOf } from 'headframe-client';

/** Side of a cell of the Meuse grid, in metres. */
export const CELL_SIZE = 40;

const FOLDER = new URL('../../../examples/meuse/', import.meta.url);

export interface Meuse {
  /** Zinc in the topsoil, mg/kg, at 155 places. */
  readonly samples: readonly { readonly x: number; readonly y: number; readonly zinc: number }[];
  /** Centres of the 3,103 cells of 40 m × 40 m that cover the flood plain. */
  readonly grid: readonly { readonly x: number; readonly y: number }[];
}

/** Reads the Meuse data set that comes with the project. */
export async function readMeuse(): Promise<Meuse> {
  const [samples, grid] = await Promise.all([
    readTable('samples.csv', ['x', 'y', 'zinc']),
    readTable('grid.csv', ['x', 'y']),
  ]);
  return { samples, grid };
}

/**
 * Parameters that estimate the natural logarithm of zinc at the grid, with the variogram model that
 * textbooks fit to these samples.
 */
export function krigingParameters({ samples, grid }: Meuse): ParametersOf<'geostatistics/kriging'> {
  return {
    source: {
      coordinates: samples.map(({ x, y }) => [x, y]),
      values: samples.map(({ zinc }) => Math.log(zinc)),
    },
    target: { coordinates: grid.map(({ x, y }) => [x, y]) },
    variogram: {
      nugget: 0.05066,
      structures: [
        { variogram_type: 'spherical', contribution: 0.59061, anisotropy: sphere(896.97) },
      ],
    },
    neighborhood: { ellipsoid: sphere(3000), max_samples: 20 },
    kriging_method: { type: 'ordinary' },
  };
}

function sphere(range: number) {
  return {
    ellipsoid_ranges: { major: range, semi_major: range, minor: range },
    rotation: { dip_azimuth: 0, dip: 0, pitch: 0 },
  };
}

/** Reads number columns by their names from a CSV file with a header line. */
async function readTable<C extends string>(
  name: string,
  columns: readonly C[],
): Promise<Record<C, number>[]> {
  const file = new URL(name, FOLDER);
  const lines = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
  const header = lines[0]!.split(',').map((title) => title.replaceAll('"', '').trim());
  const places = columns.map((column) => [column, header.indexOf(column)] as const);
  return lines.slice(1).map((line, index) => {
    const fields = line.split(',');
    const row = places.map(([column, place]) => [column, Number(fields[place])] as const);
    if (!row.every(([, number]) => Number.isFinite(number))) {
      throw new Error(`${file.pathname}:${index + 2}: expected numbers in ${columns.join(', ')}.`);
    }
    return Object.fromEntries(row) as Record<C, number>;
  });
}
