import samplesAddress from 'meuse/samples.csv?url';
import gridAddress from 'meuse/grid.csv?url';
import { csvTable, type CsvTable } from '../form/csv-table.js';

/** The tasks that the example has parameters for. */
const TASKS = ['kriging', 'idw', 'variogram', 'cross-validation'];

export const hasMeuseExample = (task: string): boolean =>
  TASKS.some((name) => task === `geostatistics/${name}`);

/** Zinc in the topsoil of the Meuse flood plain: the logarithm of 155 samples, at 3,103 points. */
export async function meuseExample(task: string): Promise<Record<string, unknown>> {
  const samples = await table(samplesAddress);
  const source = {
    coordinates: places(samples),
    values: column(samples, 'zinc').map(Math.log),
  };
  if (task === 'geostatistics/variogram') {
    return { source, lag: 100, cutoff: 1_500, model: 'spherical' };
  }
  const neighborhood = { ellipsoid: sphere(3_000), max_samples: 20 };
  const variogram = {
    nugget: 0.05066,
    structures: [
      { variogram_type: 'spherical', contribution: 0.59061, anisotropy: sphere(896.97) },
    ],
  };
  if (task === 'geostatistics/cross-validation') {
    return { source, variogram, neighborhood, kriging_method: { type: 'ordinary' } };
  }
  const target = { coordinates: places(await table(gridAddress)) };
  return task === 'geostatistics/idw'
    ? { source, target, neighborhood, power: 2 }
    : { source, target, variogram, neighborhood, kriging_method: { type: 'ordinary' } };
}

async function table(address: string): Promise<CsvTable> {
  const response = await fetch(address);
  if (!response.ok) throw new Error('The example could not be loaded: reload the page.');
  return csvTable(new Uint8Array(await response.arrayBuffer()));
}

const column = ({ columns }: CsvTable, wanted: string): number[] => [
  ...(columns.find(({ name }) => name === wanted)?.values ?? []),
];

function places(from: CsvTable): number[][] {
  const [xs, ys] = [column(from, 'x'), column(from, 'y')];
  return xs.map((x, index) => [x, ys[index] as number]);
}

const sphere = (range: number) => ({
  ellipsoid_ranges: { major: range, semi_major: range, minor: range },
  rotation: { dip_azimuth: 0, dip: 0, pitch: 0 },
});
