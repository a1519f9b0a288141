import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worldToLocal } from '../../src/tasks/geostatistics/neighbors/ellipsoid-space.js';
import idw from '../../src/tasks/geostatistics/idw/idw.task.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { runTask } from './task-run.js';

type Place = readonly [x: number, y: number];

const flat = { dip_azimuth: 0, dip: 0, pitch: 0 };
const ellipsoid = (major: number, semi_major = major, minor = major, rotation = flat) => ({
  ellipsoid_ranges: { major, semi_major, minor },
  rotation,
});
const model = (
  variogram_type: 'spherical' | 'exponential' | 'gaussian' | 'cubic',
  nugget: number,
  contribution: number,
  range: number,
) => ({ nugget, structures: [{ variogram_type, contribution, anisotropy: ellipsoid(range) }] });
/** The estimate of the seven samples, the second 1e-7 from the first. */
const SPHERICAL_PAIR = 2.308_885_406_238_637_9;
const everything = { ellipsoid: ellipsoid(1e9), max_samples: 20 };

/** Data files come from other origins and in other units. */
const ORIGINS: Place[] = [
  [0, 0],
  [500_000.1, 4_649_776.3],
  [-1_234_567.7, 9_000_000.1],
];
const shuffled = <T>(list: readonly T[], seed: number): T[] =>
  fc.sample(fc.shuffledSubarray([...list], { minLength: list.length }), { seed, numRuns: 1 })[0]!;

describe('a target on a sample has its value', () => {
  const places: Place[] = [
    [0.35, 0.05],
    [0.05, 0.05],
    [0.65, 0.05],
    [0.95, 0.05],
  ];
  const values = [10, 1, 2, 3];
  const moved = ([x0, y0]: Place, unit: number) =>
    places.map(([x, y]) => [x0 + x * unit, y0 + y * unit]);

  it.each(ORIGINS.flatMap((origin) => [1, 0.001, 1000].map((unit) => [origin, unit] as const)))(
    'on the cells of a grid from %j in units of %d, whatever the nugget',
    async (origin, unit) => {
      const source = { coordinates: moved(origin, unit), values };
      const target = {
        grid: { origin: [...origin], spacing: [0.1 * unit, 0.1 * unit], size: [10, 1] },
      };
      for (const nugget of [1e-9, 1, 100]) {
        for (const kriging_method of [{ type: 'ordinary' }, { type: 'simple', mean: 3 }] as const) {
          const { target: found } = await runTask(kriging, {
            source,
            target,
            kriging_method,
            variogram: model('spherical', nugget, 1, unit),
            neighborhood: everything,
          });
          expect([0, 3, 6, 9].map((cell) => found.values[cell])).toEqual([1, 10, 2, 3]);
          expect([0, 3, 6, 9].map((cell) => found.variances[cell])).toEqual([0, 0, 0, 0]);
          expect(found.variances.filter((variance) => variance === 0)).toHaveLength(4);
        }
      }
      const { target: weighted } = await runTask(idw, { source, target, neighborhood: everything });
      expect([0, 3, 6, 9].map((cell) => weighted.values[cell])).toEqual([1, 10, 2, 3]);
    },
  );

  it('also when another sample is so near that the search counts both as equally far', async () => {
    const target = [500_000.5, 4_600_000.5, 100];
    for (const apart of [1e-6, 5e-6, 1e-3]) {
      for (const search of [
        ellipsoid(1e4),
        ellipsoid(1000, 1000, 1, { dip_azimuth: 0, dip: 45, pitch: 0 }),
      ]) {
        const parameters = {
          source: {
            coordinates: [target, [target[0]! - apart, target[1]!, target[2]!]],
            values: [3, 7],
          },
          target: { coordinates: [target] },
          neighborhood: { ellipsoid: search, max_samples: 1 },
        };
        const kriged = await runTask(kriging, {
          ...parameters,
          variogram: model('spherical', 1, 1, 100),
        });
        expect(kriged.target).toMatchObject({ values: [3], variances: [0] });
        expect((await runTask(idw, parameters)).target.values).toEqual([3]);
      }
    }
  });

  it('and a millimetre beside it, on coordinates of a million, has not', async () => {
    const { target } = await runTask(kriging, {
      source: { coordinates: moved([500_000, 4_600_000], 100), values },
      target: { coordinates: [[500_035.001, 4_600_005]] },
      variogram: model('spherical', 1, 1, 100),
      neighborhood: everything,
    });
    expect(target.variances[0]).toBeGreaterThan(1);
  });

  it('also where two samples are one place written twice: they are refused as such', async () => {
    const coordinates = [
      [0.3, 0],
      [0.1 + 0.2, 0],
      [1, 0],
    ];
    await expect(
      runTask(kriging, {
        source: { coordinates, values: [1, 2, 3] },
        target: { coordinates: [[0.5, 0]] },
        variogram: model('spherical', 1, 1, 1),
        neighborhood: everything,
      }),
    ).rejects.toMatchObject({
      problem: {
        slug: 'duplicate-samples',
        detail: expect.stringContaining('source.coordinates[0] and source.coordinates[1]'),
      },
    });
  });
});

describe('samples on the search ellipsoid are inside', () => {
  const one = (place: number[], centre: number[], search: ReturnType<typeof ellipsoid>) =>
    runTask(idw, {
      source: { coordinates: [place], values: [5] },
      target: { coordinates: [centre] },
      neighborhood: { ellipsoid: search, max_samples: 4 },
    }).then(({ target }) => target.values[0]);

  it('four of them around a point that decimal coordinates do not meet exactly', async () => {
    const parameters = {
      source: {
        coordinates: [
          [0.3, 0.5],
          [0.5, 0.5],
          [0.4, 0.4],
          [0.4, 0.6],
        ],
        values: [1, 2, 3, 4],
      },
      target: { coordinates: [[0.4, 0.5]] },
      neighborhood: { ellipsoid: ellipsoid(0.1), max_samples: 20 },
    };
    const weighted = await runTask(idw, { ...parameters, power: 0 });
    expect(weighted.target.values[0]).toBeCloseTo(2.5, 12);
    const kriged = await runTask(kriging, {
      ...parameters,
      variogram: model('spherical', 0, 1, 1),
    });
    expect(kriged.target.values[0]).toBeCloseTo(2.5, 12);
  });

  it('at the tips of ellipsoids turned in every way, on any coordinates; 1e-5 beyond is outside', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          angles: fc.tuple(
            fc.integer({ min: 0, max: 359 }),
            fc.integer({ min: -90, max: 90 }),
            fc.integer({ min: 0, max: 359 }),
          ),
          ranges: fc.tuple(
            fc.double({ min: 20, max: 1000, noNaN: true }),
            fc.double({ min: 20, max: 1000, noNaN: true }),
            fc.double({ min: 20, max: 1000, noNaN: true }),
          ),
          centre: fc.constantFrom<number[][]>(
            [0, 0, 0],
            [500_000.1, 4_649_776.3, 120.7],
            [0.3, -0.7, 1e4],
          ),
          tip: fc.constantFrom<number[][]>([1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0]),
        }),
        async ({ angles: [dip_azimuth, dip, pitch], ranges, centre, tip }) => {
          const rotation = { dip_azimuth, dip, pitch };
          const m = worldToLocal(rotation);
          const at = (factor: number) =>
            centre.map((from, axis) =>
              tip.reduce(
                (sum, part, i) => sum + m[3 * i + axis]! * part * ranges[i]! * factor,
                from,
              ),
            );
          const search = ellipsoid(...ranges, rotation);
          expect(await one(at(1), centre, search)).toBe(5);
          expect(await one(at(1 + 1e-5), centre, search)).toBeNull();
        },
      ),
      { numRuns: 300, seed: 20_261_126 },
    );
  });
});

describe('the order of the samples changes nothing', () => {
  const places: Place[] = [
    [10, 10],
    [10.000000001, 10],
    [40, 15],
    [75, 20],
    [20, 55],
    [50, 50],
    [85, 60],
  ];
  const values = [2.1, 2.2, 2.6, 3.4, 1.9, 2.8, 3.9];
  const estimate = async (
    seed: number,
    coordinates: readonly Place[],
    variogram: ReturnType<typeof model>,
  ) => {
    const order = shuffled([...values.keys()], seed);
    return runTask(kriging, {
      source: {
        coordinates: order.map((i) => [...coordinates[i]!]),
        values: order.map((i) => values[i]!),
      },
      target: { coordinates: [[30, 30]] },
      variogram,
      neighborhood: everything,
    }).then(
      ({ target }) => `${target.values[0]} ± ${target.variances[0]}`,
      ({ problem }) => `${problem.status} ${problem.slug}`,
    );
  };
  const outcomes = async (coordinates: readonly Place[], variogram: ReturnType<typeof model>) =>
    new Set(
      await Promise.all(
        [...Array(40).keys()].map((seed) => estimate(seed, coordinates, variogram)),
      ),
    );

  it('of a pair that a Gaussian variogram cannot tell apart: refused, and named', async () => {
    for (const [contribution, nugget] of [
      [1, 0],
      [1e-30, 0],
      [1e30, 0],
      [1, 1e-18],
    ] as const) {
      const found = await outcomes(places, model('gaussian', nugget, contribution, 100));
      expect([...found]).toEqual(['422 singular-kriging-system']);
    }
    await expect(
      runTask(kriging, {
        source: { coordinates: places.map((place) => [...place]), values },
        target: { coordinates: [[30, 30]] },
        variogram: model('gaussian', 0, 1, 100),
        neighborhood: everything,
      }),
    ).rejects.toMatchObject({
      problem: {
        detail: expect.stringContaining('source.coordinates[0] and source.coordinates[1]'),
      },
    });
  });

  // Computed with 60 digits (mpmath) from the same coordinates.
  it('of a pair 1e-7 apart under a spherical variogram: estimated, to 1e-8', async () => {
    const near = places.map((place, i): Place => (i === 1 ? [10.0000001, 10] : place));
    const found = await outcomes(near, model('spherical', 0, 1, 100));
    expect(found.size).toBe(1);
    expect(Number([...found][0]?.split(' ')[0])).toBeCloseTo(SPHERICAL_PAIR, 8);
  });

  it('on a grid, where many samples are equally far', async () => {
    const grid = [...Array(49).keys()].map((i): Place => [(i % 7) / 10, Math.floor(i / 7) / 10]);
    const height = grid.map(([x, y]) => Math.sin(5 * x) + y * y);
    const results = await Promise.all(
      [1, 2, 3, 4].map(async (seed) => {
        const order = shuffled([...grid.keys()], seed);
        const { target } = await runTask(kriging, {
          source: {
            coordinates: order.map((i) => [...grid[i]!]),
            values: order.map((i) => height[i]!),
          },
          target: { grid: { origin: [0, 0], spacing: [0.2, 0.2], size: [3, 3] } },
          variogram: model('exponential', 0.1, 1, 0.5),
          neighborhood: { ellipsoid: ellipsoid(10), max_samples: 6 },
        });
        return target;
      }),
    );
    for (const other of results) expect(other).toEqual(results[0]);
  });
});
