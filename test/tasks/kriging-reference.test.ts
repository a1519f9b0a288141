import { describe, expect, it } from 'vitest';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import {
  largestDifference,
  meuseGrid,
  meuseSource,
  reference,
  runTask,
  someOfMeuseGrid,
} from './task-run.js';

interface Estimates {
  values: (number | null)[];
  variances: (number | null)[];
}
type Ranges = readonly [major: number, semiMajor: number, minor: number];
type Rotation = readonly [dipAzimuth: number, dip: number, pitch: number];

const ellipsoid = (
  [major, semi_major, minor]: Ranges,
  [dip_azimuth, dip, pitch]: Rotation = [0, 0, 0],
) => ({
  ellipsoid_ranges: { major, semi_major, minor },
  rotation: { dip_azimuth, dip, pitch },
});
const sphere = (radius: number) => ellipsoid([radius, radius, radius]);
const structure = (
  variogram_type: 'spherical' | 'exponential' | 'gaussian' | 'cubic' | 'linear',
  contribution: number,
  anisotropy: ReturnType<typeof ellipsoid>,
) => ({ variogram_type, contribution, anisotropy });

const classic = { nugget: 0.05066, structures: [structure('spherical', 0.59061, sphere(896.97))] };
const nearest = (max_samples: number, radius = 1e6) => ({ ellipsoid: sphere(radius), max_samples });
const ordinary = { type: 'ordinary' } as const;

const cases = reference<Record<string, Estimates>>('meuse.cases.json');
const base = {
  source: meuseSource,
  target: { coordinates: someOfMeuseGrid },
  variogram: classic,
  neighborhood: nearest(20),
  kriging_method: ordinary,
};

async function difference(
  parameters: Parameters<typeof runTask<typeof kriging.parameters, typeof kriging.results>>[1],
  expected: Estimates,
) {
  const { target } = await runTask(kriging, parameters);
  return Math.max(
    largestDifference(target.values, expected.values),
    largestDifference(target.variances, expected.variances),
  );
}

describe('kriging agrees with gstat to 1e-6', () => {
  it('at every point of the Meuse grid, ordinary, 20 nearest samples', async () => {
    const expected = reference<Estimates>('meuse.ordinary.json');
    const parameters = { ...base, target: { coordinates: meuseGrid } };
    expect(await difference(parameters, expected)).toBeLessThan(1e-6);
  });

  it('with a known mean and an exponential model', async () => {
    const variogram = { nugget: 0.1, structures: [structure('exponential', 0.6, sphere(1200))] };
    const kriging_method = { type: 'simple', mean: 5.9 } as const;
    const parameters = { ...base, variogram, kriging_method, neighborhood: nearest(16) };
    expect(await difference(parameters, cases['simple_exponential']!)).toBeLessThan(1e-6);
  });

  it('with a Gaussian model and a nugget', async () => {
    const variogram = { nugget: 0.08, structures: [structure('gaussian', 0.55, sphere(900))] };
    const parameters = { ...base, variogram, neighborhood: nearest(12) };
    expect(await difference(parameters, cases['gaussian_with_nugget']!)).toBeLessThan(1e-6);
  });

  it('with a linear model, which has no sill', async () => {
    const variogram = { nugget: 0.05, structures: [structure('linear', 0.5, sphere(1000))] };
    expect(await difference({ ...base, variogram }, cases['linear']!)).toBeLessThan(1e-6);
  });

  it('with two nested structures of different directions', async () => {
    const variogram = {
      nugget: 0.05,
      structures: [
        structure('exponential', 0.3, ellipsoid([2400, 1200, 1200], [30, 0, 0])),
        structure('spherical', 0.3, ellipsoid([600, 150, 150], [115, 0, 0])),
      ],
    };
    const parameters = { ...base, variogram, neighborhood: nearest(24) };
    expect(await difference(parameters, cases['nested_anisotropic']!)).toBeLessThan(1e-6);
  });

  it('turns a 2-D structure the same by dip_azimuth and by pitch', async () => {
    const structures = (a: number, b: number) => [
      structure('exponential', 0.3, ellipsoid([2400, 1200, 1200], [a, 0, 30 - a])),
      structure('spherical', 0.3, ellipsoid([600, 150, 150], [b, 0, 115 - b])),
    ];
    const variogram = { nugget: 0.05, structures: structures(10, -20) };
    const parameters = { ...base, variogram, neighborhood: nearest(24) };
    expect(await difference(parameters, cases['nested_anisotropic']!)).toBeLessThan(1e-6);
  });

  it('and leaves the same points without an estimate when samples are too few', async () => {
    const neighborhood = { ...nearest(12, 250), min_samples: 6 };
    const expected = cases['too_few_samples']!;
    expect(expected.values).toContain(null);
    expect(await difference({ ...base, neighborhood }, expected)).toBeLessThan(1e-6);
  });

  it('with all samples for every point', async () => {
    const parameters = { ...base, neighborhood: nearest(155) };
    expect(await difference(parameters, cases['all_samples']!)).toBeLessThan(1e-6);
  });

  it('on the samples and a quarter of a metre beside them', async () => {
    const points = meuseSource.coordinates
      .slice(0, 10)
      .map((point, i) => point.map((c) => (i < 5 ? c : c + 0.25)));
    const parameters = { ...base, target: { coordinates: points } };
    expect(await difference(parameters, cases['on_samples']!)).toBeLessThan(1e-6);
  });

  const grid = { origin: [178600, 330000], spacing: [200, 150], size: [10, 12] };
  const blocks = {
    ...base,
    target: { grid },
    neighborhood: nearest(155),
    block_discretisation: { nx: 4, ny: 3 },
  };

  it('for blocks, ordinary', async () => {
    expect(await difference(blocks, cases['block_ordinary']!)).toBeLessThan(1e-6);
  });

  it('for blocks with a known mean', async () => {
    const parameters = { ...blocks, kriging_method: { type: 'simple', mean: 5.9 } as const };
    expect(await difference(parameters, cases['block_simple']!)).toBeLessThan(1e-6);
  });

  it('for blocks whose sub-points fall on samples, where the nugget still counts', async () => {
    const expected = reference<{ block_on_samples: Estimates[] }>(
      'meuse.cases.json',
    ).block_on_samples;
    for (const [i, [x, y]] of meuseSource.coordinates.slice(0, 3).entries()) {
      const target = { grid: { origin: [x! - 5, y! - 5], spacing: [20, 20], size: [1, 1] } };
      const parameters = { ...blocks, target, block_discretisation: { nx: 2, ny: 2 } };
      const { values, variances } = expected[i]!;
      const lists = { values: [values].flat(), variances: [variances].flat() };
      expect(await difference(parameters, lists)).toBeLessThan(1e-6);
    }
  });

  it('with neighbours chosen inside a turned search ellipsoid', async () => {
    const search = ellipsoid([400, 150, 100], [40, 0, 0]);
    const expected = cases['search_ellipsoid']!;
    expect(expected.values).toContain(null);
    const parameters = { ...base, neighborhood: { ellipsoid: search, max_samples: 10 } };
    expect(await difference(parameters, expected)).toBeLessThan(1e-6);
  });

  it('with a cubic model (the system solved directly in R)', async () => {
    const variogram = {
      nugget: 0.05,
      structures: [structure('cubic', 0.6, ellipsoid([1500, 900, 900], [25, 0, 0]))],
    };
    const parameters = { ...base, variogram, neighborhood: nearest(18) };
    expect(await difference(parameters, cases['cubic']!)).toBeLessThan(1e-6);
  });
});

describe('kriging agrees with gstat to 1e-6 in three dimensions', () => {
  const data = reference<{
    samples: { coordinates: number[][]; values: number[] };
    targets: number[][];
    one_ellipsoid: Estimates;
    nested_rotations: Estimates;
    blocks: Estimates;
  }>('synthetic.json');
  const solid = {
    source: data.samples,
    target: { coordinates: data.targets },
    kriging_method: ordinary,
  };

  it('with one turned ellipsoid for the variogram and the search', async () => {
    const turned = ellipsoid([180, 110, 60], [65, 35, 20]);
    const parameters = {
      ...solid,
      variogram: { nugget: 0.1, structures: [structure('spherical', 0.9, turned)] },
      neighborhood: { ellipsoid: turned, max_samples: 16 },
    };
    expect(await difference(parameters, data.one_ellipsoid)).toBeLessThan(1e-6);
  });

  it('with three structures of different rotations (solved directly in R)', async () => {
    const parameters = {
      ...solid,
      variogram: {
        nugget: 0.05,
        structures: [
          structure('spherical', 0.5, ellipsoid([200, 120, 40], [310, -25, 70])),
          structure('cubic', 0.4, sphere(90)),
          structure('linear', 0.3, ellipsoid([400, 200, 100], [15, 80, -40])),
        ],
      },
      neighborhood: { ellipsoid: ellipsoid([150, 100, 50], [65, 35, 20]), max_samples: 14 },
    };
    expect(await difference(parameters, data.nested_rotations)).toBeLessThan(1e-6);
  });

  it('for blocks', async () => {
    const parameters = {
      ...solid,
      target: { grid: { origin: [50, 30, -100], spacing: [80, 80, 40], size: [4, 3, 2] } },
      variogram: { nugget: 0.1, structures: [structure('spherical', 0.9, sphere(150))] },
      neighborhood: nearest(1000),
      block_discretisation: { nx: 2, ny: 3, nz: 2 },
    };
    expect(await difference(parameters, data.blocks)).toBeLessThan(1e-6);
  });
});
