import { describe, expect, it } from 'vitest';
import type { TaskContext } from '../../src/compute/task.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { meuseSource, mistakes, recordingContext, runTask, someOfMeuseGrid } from './task-run.js';

const ellipsoid = (radius: number) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});
type Shape = 'spherical' | 'exponential' | 'gaussian' | 'cubic' | 'linear';
const model = (variogram_type: Shape, nugget: number, range: number) => ({
  nugget,
  structures: [{ variogram_type, contribution: 1, anisotropy: ellipsoid(range) }],
});
const base = {
  source: {
    coordinates: [
      [0, 0],
      [10, 0],
      [0, 10],
      [10, 10],
    ],
    values: [1, 2, 3, 6],
  },
  target: {
    coordinates: [
      [5, 5],
      [2, 3],
    ],
  },
  variogram: model('spherical', 0.1, 30),
  neighborhood: { ellipsoid: ellipsoid(100), max_samples: 4 },
};

describe('kriging', () => {
  it('gives the mean where all samples weigh the same', async () => {
    const { target } = await runTask(kriging, base);
    expect(target.values[0]).toBeCloseTo(3, 12);
  });

  it('is ordinary unless told otherwise', async () => {
    const { target } = await runTask(kriging, base);
    const same = await runTask(kriging, { ...base, kriging_method: { type: 'ordinary' } });
    expect(same.target).toEqual(target);
  });

  it('gives a sample its value with variance 0, whatever the nugget', async () => {
    const target = { coordinates: base.source.coordinates };
    for (const kriging_method of [{ type: 'ordinary' }, { type: 'simple', mean: 3 }] as const) {
      const result = await runTask(kriging, { ...base, target, kriging_method });
      expect(result.target).toEqual({ values: [1, 2, 3, 6], variances: [0, 0, 0, 0] });
    }
  });

  it('does not change when all samples are shifted far away', async () => {
    const shift = (points: number[][]) => points.map(([x, y]) => [x! + 2 ** 22, y! - 2 ** 23]);
    const { target } = await runTask(kriging, base);
    const shifted = await runTask(kriging, {
      ...base,
      source: { ...base.source, coordinates: shift(base.source.coordinates) },
      target: { coordinates: shift(base.target.coordinates) },
    });
    expect(shifted.target).toEqual(target);
  });

  it('estimates from a single sample: its value, with twice the semivariance', async () => {
    const neighborhood = { ...base.neighborhood, max_samples: 1 };
    const { target } = await runTask(kriging, {
      ...base,
      target: { coordinates: [[1, 0]] },
      neighborhood,
    });
    expect(target.values).toEqual([1]);
    expect(target.variances[0]).toBeCloseTo(2 * (0.1 + 1.5 / 30 - 0.5 / 30 ** 3), 12);
  });

  it('is the plain average of the neighbours under a pure nugget', async () => {
    const variogram = { nugget: 2, structures: [] };
    const { target } = await runTask(kriging, { ...base, variogram });
    expect(target.values[1]).toBeCloseTo(3, 12);
    expect(target.variances[1]).toBeCloseTo(2 + 2 / 4, 12);
  });

  it('leaves null, never a guess, where no sample or too few are near', async () => {
    const target = {
      coordinates: [
        [5, 5],
        [500, 500],
      ],
    };
    const {
      target: { values, variances },
      summary,
      message,
    } = await runTask(kriging, { ...base, target });
    expect(values[1]).toBeNull();
    expect(variances[1]).toBeNull();
    expect(summary).toMatchObject({
      points: 2,
      estimated: 1,
      min: values[0],
      mean: values[0],
      max: values[0],
    });
    expect(message).toBe(
      'Estimated 1 of 2 points; the other 1 have too few samples in the search ellipsoid',
    );

    const neighborhood = { ellipsoid: ellipsoid(5), max_samples: 4, min_samples: 2 };
    const nothing = await runTask(kriging, { ...base, neighborhood });
    expect(nothing.target).toEqual({ values: [null, null], variances: [null, null] });
    expect(nothing.summary).toMatchObject({
      estimated: 0,
      min: null,
      mean: null,
      max: null,
      mean_variance: null,
    });
  });

  it('never gives a negative variance, though rounding would a hair beside a sample', async () => {
    const coordinates = meuseSource.coordinates.map(([x, y]) => [x! + 1e-7, y! - 1e-7]);
    for (const kriging_method of [{ type: 'ordinary' }, { type: 'simple', mean: 6 }] as const) {
      const { target } = await runTask(kriging, {
        source: meuseSource,
        target: { coordinates },
        variogram: model('gaussian', 0, 400),
        neighborhood: { ellipsoid: ellipsoid(2000), max_samples: 6 },
        kriging_method,
      });
      expect(Math.min(...(target.variances as number[]))).toBeGreaterThanOrEqual(0);
    }
  });

  it('lists grid cells by their centres, x fastest, then y, then z', async () => {
    const source = {
      coordinates: base.source.coordinates.map((point, i) => [...point, i]),
      values: base.source.values,
    };
    const grid = { origin: [1, 2, -1], spacing: [2, 3, 1], size: [2, 3, 2] };
    const centres: number[][] = [];
    for (const z of [-0.5, 0.5])
      for (const y of [3.5, 6.5, 9.5]) for (const x of [2, 4]) centres.push([x, y, z]);
    const cells = await runTask(kriging, { ...base, source, target: { grid } });
    const points = await runTask(kriging, { ...base, source, target: { coordinates: centres } });
    expect(cells.target).toEqual(points.target);
    expect(cells.message).toBe('Estimated 12 of 12 cells');
  });

  it('takes a block of one sub-point for the point at its centre', async () => {
    const target = { grid: { origin: [0, 0], spacing: [4, 4], size: [2, 2] } };
    const points = await runTask(kriging, { ...base, target });
    const blocks = await runTask(kriging, { ...base, target, block_discretisation: {} });
    expect(blocks.target).toEqual(points.target);
  });

  it('smooths: the variance of a block is below that of its centre', async () => {
    const target = { grid: { origin: [2, 2], spacing: [5, 5], size: [1, 1] } };
    const point = await runTask(kriging, { ...base, target });
    const block = await runTask(kriging, {
      ...base,
      target,
      block_discretisation: { nx: 5, ny: 5 },
    });
    expect(block.target.variances[0]).toBeLessThan(point.target.variances[0]!);
  });

  it('gives the same whatever the order of points, so keeping the last factor changes nothing', async () => {
    const parameters = {
      source: meuseSource,
      variogram: model('exponential', 0.1, 900),
      neighborhood: { ellipsoid: ellipsoid(2000), max_samples: 9 },
    };
    const forward = await runTask(kriging, {
      ...parameters,
      target: { coordinates: someOfMeuseGrid },
    });
    const backward = await runTask(kriging, {
      ...parameters,
      target: { coordinates: someOfMeuseGrid.toReversed() },
    });
    expect(backward.target.values.toReversed()).toEqual(forward.target.values);
    expect(backward.target.variances.toReversed()).toEqual(forward.target.variances);
  });

  it('tells honest progress that ends at 100', async () => {
    const context = recordingContext();
    await runTask(
      kriging,
      { ...base, target: { grid: { origin: [0, 0], spacing: [0.02, 0.02], size: [200, 200] } } },
      context,
    );
    const percents = context.told.map(({ percent }) => percent);
    expect(percents[0]).toBe(0);
    expect(percents.at(-1)).toBe(100);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(context.told.at(-1)!.message).toBe('Estimated 40000 of 40000 cells');
    expect(context.told.length).toBeLessThan(200);
  });

  it('stops at a cancel in the middle of a large grid', async () => {
    const cancel = new AbortController();
    const recording = recordingContext(cancel.signal);
    const context: TaskContext = {
      ...recording,
      progress(percent, message) {
        if (percent > 1) cancel.abort(new Error('canceled'));
        recording.progress(percent, message);
      },
    };
    const target = { grid: { origin: [0, 0], spacing: [0.01, 0.01], size: [1000, 1000] } };
    await expect(runTask(kriging, { ...base, target }, context)).rejects.toThrow('canceled');
    expect(recording.told.at(-1)!.percent).toBeLessThan(50);
  });
});

describe('kriging gives up with a problem', () => {
  it('that names the first two samples at one place', async () => {
    const source = {
      coordinates: [
        [0, 0],
        [1, 1],
        [2, 2],
        [1, 1],
        [0, 0],
      ],
      values: [1, 2, 3, 4, 5],
    };
    await expect(runTask(kriging, { ...base, source })).rejects.toMatchObject({
      problem: {
        status: 422,
        slug: 'duplicate-samples',
        detail: expect.stringMatching(
          /source\.coordinates\[1\] and source\.coordinates\[3\] are both at \(1, 1\)/,
        ),
      },
    });
  });

  it('that names the target and samples of a singular system, and the remedy', async () => {
    const coordinates = Array.from({ length: 30 }, (_, i) => [i % 6, Math.floor(i / 6)]);
    const source = { coordinates, values: coordinates.map(([x, y]) => x! + y!) };
    const parameters = {
      ...base,
      source,
      target: {
        coordinates: [
          [0, 0],
          [2.5, 2.5],
        ],
      },
      variogram: model('gaussian', 0, 500),
      neighborhood: { ellipsoid: ellipsoid(100), max_samples: 30 },
    };
    for (const kriging_method of [{ type: 'ordinary' }, { type: 'simple', mean: 3 }] as const) {
      await expect(runTask(kriging, { ...parameters, kriging_method })).rejects.toMatchObject({
        problem: {
          status: 422,
          slug: 'singular-kriging-system',
          detail: expect.stringMatching(
            /^At target 1 \(2\.5, 2\.5\).*coordinates\[\d+\] and source\.coordinates\[\d+\].*Add a small nugget/s,
          ),
        },
      });
    }
    const helped = await runTask(kriging, {
      ...parameters,
      variogram: model('gaussian', 1e-6, 500),
    });
    expect(helped.target.values[1]).toBeCloseTo(5, 2);
  });
});

describe('kriging refuses parameters and says where', () => {
  const turned = { dip_azimuth: 0, dip: 0, pitch: 0 };
  const grid = { origin: [0, 0], spacing: [1, 1], size: [2, 2] };
  const linear = model('linear', 0, 10);
  const withSource = (coordinates: unknown, values: unknown = [1, 2]) => ({
    source: { coordinates, values },
  });
  const withStructure = (member: object) => ({
    variogram: { nugget: 0, structures: [{ ...base.variogram.structures[0], ...member }] },
  });

  const wrong: [what: string, change: object, where: RegExp][] = [
    ['an unknown member', { extra: 1 }, /^: .*extra/],
    ['a missing source', { source: undefined }, /^source: /],
    [
      'coordinates that are no array',
      withSource('x'),
      /^source\.coordinates: Expected an array of locations$/,
    ],
    ['no samples', withSource([], [1]), /^source\.coordinates: Expected at least 1 item$/],
    [
      'a location of one number',
      withSource([[1, 2], [1]]),
      /^source\.coordinates\.1: Expected \[x, y\] or \[x, y, z\]$/,
    ],
    [
      'mixed dimensions',
      withSource([
        [1, 2],
        [1, 2, 3],
      ]),
      /^source\.coordinates\.1: Expected 2 coordinates, as in the first/,
    ],
    [
      'a coordinate that is text',
      withSource([
        [1, 2],
        [1, '2'],
      ]),
      /^source\.coordinates\.1\.1: Expected a finite number$/,
    ],
    [
      'an infinite coordinate',
      withSource([
        [1, 2],
        [Infinity, 2],
      ]),
      /^source\.coordinates\.1\.0: Expected a finite number$/,
    ],
    [
      'a coordinate beyond all maps',
      withSource([
        [1, 2],
        [1, -1e13],
      ]),
      /^source\.coordinates\.1\.1: Expected a number from/,
    ],
    [
      'a value that is null',
      withSource(
        [
          [1, 2],
          [3, 4],
        ],
        [1, null],
      ),
      /^source\.values\.1: Expected a finite number$/,
    ],
    [
      'fewer values than samples',
      withSource(
        [
          [1, 2],
          [3, 4],
        ],
        [1],
      ),
      /^source\.values: Expected one value for each of the 2/,
    ],
    ['no target', { target: {} }, /^target: Expected either coordinates or grid$/],
    ['two targets', { target: { coordinates: [[1, 2]], grid } }, /^target: Expected either/],
    [
      'a 3-D target for 2-D samples',
      { target: { coordinates: [[1, 2, 3]] } },
      /^target\.coordinates: Expected 2/,
    ],
    [
      'a 3-D grid for 2-D samples',
      { target: { grid: { origin: [0, 0, 0], spacing: [1, 1, 1], size: [1, 1, 1] } } },
      /^target\.grid\.origin: Expected 2/,
    ],
    [
      'a grid spacing of another dimension',
      { target: { grid: { ...grid, spacing: [1, 1, 1] } } },
      /^target\.grid\.spacing: Expected 2/,
    ],
    [
      'a grid size of another dimension',
      { target: { grid: { ...grid, size: [1, 1, 1] } } },
      /^target\.grid\.size: Expected 2/,
    ],
    [
      'a grid of spacing 0',
      { target: { grid: { ...grid, spacing: [1, 0] } } },
      /^target\.grid\.spacing\.1: /,
    ],
    [
      'a grid of half a cell',
      { target: { grid: { ...grid, size: [1, 0.5] } } },
      /^target\.grid\.size\.1: /,
    ],
    [
      'a grid of too many cells',
      { target: { grid: { ...grid, size: [2000, 1001] } } },
      /^target\.grid\.size: Expected at most 2000000 cells, not 2002000$/,
    ],
    ['a negative nugget', { variogram: { nugget: -0.1, structures: [] } }, /^variogram\.nugget: /],
    [
      'a variogram that is 0 everywhere',
      { variogram: { nugget: 0, structures: [] } },
      /^variogram: Expected a nugget or/,
    ],
    [
      'an unknown shape',
      withStructure({ variogram_type: 'hole' }),
      /^variogram\.structures\.0\.variogram_type: /,
    ],
    [
      'a negative contribution',
      withStructure({ contribution: -1 }),
      /^variogram\.structures\.0\.contribution: /,
    ],
    [
      'a range of 0',
      withStructure({ anisotropy: { ellipsoid_ranges: { major: 0, semi_major: 1, minor: 1 } } }),
      /^variogram\.structures\.0\.anisotropy\.ellipsoid_ranges\.major: /,
    ],
    [
      'a missing angle',
      withStructure({ anisotropy: { ...ellipsoid(1), rotation: { dip: 0, pitch: 0 } } }),
      /^variogram\.structures\.0\.anisotropy\.rotation\.dip_azimuth: /,
    ],
    [
      'an angle of two turns',
      withStructure({ anisotropy: { ...ellipsoid(1), rotation: { ...turned, dip: 720 } } }),
      /rotation\.dip: /,
    ],
    [
      'no neighbours',
      { neighborhood: { ...base.neighborhood, max_samples: 0 } },
      /^neighborhood\.max_samples: /,
    ],
    [
      'more least than most samples',
      { neighborhood: { ...base.neighborhood, min_samples: 5 } },
      /^neighborhood\.min_samples: Expected at most max_samples \(4\), not 5$/,
    ],
    ['an unknown method', { kriging_method: { type: 'universal' } }, /^kriging_method\.type: /],
    [
      'simple kriging without a mean',
      { kriging_method: { type: 'simple' } },
      /^kriging_method\.mean: /,
    ],
    [
      'simple kriging without a sill',
      { variogram: linear, kriging_method: { type: 'simple', mean: 1 } },
      /^variogram\.structures\.0\.variogram_type: A linear structure has no sill/,
    ],
    [
      'blocks without a grid',
      { block_discretisation: { nx: 2, ny: 2 } },
      /^block_discretisation: Only the cells/,
    ],
    [
      'a thick block in a 2-D grid',
      { target: { grid }, block_discretisation: { nz: 2 } },
      /^block_discretisation\.nz: Expected 1/,
    ],
    [
      'ten sub-points',
      { target: { grid }, block_discretisation: { nx: 10 } },
      /^block_discretisation\.nx: /,
    ],
  ];

  it.each(wrong)('%s', (_, change, where) => {
    const found = mistakes(kriging, { ...base, ...change });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(where);
  });

  it('naming at most twenty of a million mistakes, at once', () => {
    const started = performance.now();
    const coordinates = Array.from({ length: 200_000 }, () => ['x', 'y']);
    expect(mistakes(kriging, { ...base, ...withSource(coordinates) }).length).toBeLessThanOrEqual(
      21,
    );
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
