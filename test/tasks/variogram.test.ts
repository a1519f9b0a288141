import { describe, expect, it } from 'vitest';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { fitVariogram } from '../../src/tasks/geostatistics/variogram/variogram-fit.js';
import variogram from '../../src/tasks/geostatistics/variogram/variogram.task.js';
import { meuseSource, mistakes, recordingContext, reference, runTask } from './task-run.js';

interface Lag {
  pairs: number;
  distance: number;
  semivariance: number;
}
interface Fitted {
  lags: Lag[];
  fit: { nugget: number; contribution: number; range: number; sse: number; slope: number };
}
const gstat = reference<Record<string, Fitted>>('meuse.variogram.json');
const base = { source: meuseSource, lag: 100, cutoff: 1500 };

function expectSameLags(actual: Lag[], expected: Lag[]) {
  expect(actual.map(({ pairs }) => pairs)).toEqual(expected.map(({ pairs }) => pairs));
  actual.forEach((lag, i) => {
    expect(lag.distance).toBeCloseTo(expected[i]!.distance, 8);
    expect(lag.semivariance).toBeCloseTo(expected[i]!.semivariance, 10);
  });
}

describe('the variogram task agrees with gstat', () => {
  // gstat measures the exponential and Gaussian range as 1/3 and 1/√3 of the practical range. Its own
  // Gaussian fit stops away from the minimum (see reference.R): there the reference is R's optim.
  const all = [
    { name: 'spherical', model: 'spherical', lag: 100, cutoff: 1500, factor: 1 },
    { name: 'spherical_1300', model: 'spherical', lag: 75, cutoff: 1300, factor: 1 },
    { name: 'exponential', model: 'exponential', lag: 100, cutoff: 1500, factor: 3 },
    { name: 'gaussian', model: 'gaussian', lag: 100, cutoff: 1500, factor: Math.sqrt(3) },
  ] as const;

  it.each(all)('on lags and fit of $name', async ({ name, model, lag, cutoff, factor }) => {
    const expected = gstat[name]!;
    const result = await runTask(variogram, { ...base, lag, cutoff, model });
    expectSameLags(result.lags, expected.lags);
    const { nugget, structures } = result.model;
    const sum = result.summary.weighted_sum_of_squares;
    expect(sum).toBeLessThanOrEqual(expected.fit.sse * (1 + 1e-9));
    expect(sum).toBeCloseTo(expected.fit.sse, 11);
    expect(structures[0]!.variogram_type).toBe(model);
    expect(nugget).toBeCloseTo(expected.fit.nugget, 5);
    expect(structures[0]!.contribution).toBeCloseTo(expected.fit.contribution, 5);
    const range = structures[0]!.anisotropy.ellipsoid_ranges.major;
    expect(range / (expected.fit.range * factor)).toBeCloseTo(1, 5);
    expect(result.summary.range_at_limit).toBe(false);
  });

  it('on a straight line', async () => {
    const { lags, fit } = gstat['linear']!;
    const result = await runTask(variogram, { ...base, cutoff: 1000, model: 'linear' });
    expectSameLags(result.lags, lags);
    const { contribution, anisotropy } = result.model.structures[0]!;
    expect(anisotropy.ellipsoid_ranges.major).toBe(1000);
    expect(contribution / 1000).toBeCloseTo(fit.slope, 8);
    expect(result.model.nugget).toBeCloseTo(fit.nugget, 6);
    expect(result.summary.weighted_sum_of_squares).toBeCloseTo(fit.sse, 11);
  });

  it('on samples that share a location: their pair is in the first lag', async () => {
    const twins = [2, 49];
    const source = {
      coordinates: [...meuseSource.coordinates, ...twins.map((i) => meuseSource.coordinates[i]!)],
      values: [...meuseSource.values, ...twins.map((i) => meuseSource.values[i]! + 0.4)],
    };
    const result = await runTask(variogram, { ...base, source, cutoff: 1000 });
    expectSameLags(result.lags, reference<{ twins: Lag[] }>('meuse.variogram.json').twins);
  });
});

describe('lag classes of a regular transect', () => {
  const values = [1, 2, 4, 3, 5, 4, 6, 8, 7, 9, 8];
  const places: [string, (i: number) => number[], number][] = [
    ['tenths', (i) => [i / 10, 0], 0.1],
    ['whole numbers', (i) => [i, 0], 1],
    ['tenths far from the origin', (i) => [5e5 + i / 10, 4.6e6], 0.1],
    ['tenths that were moved back from far away', (i) => [5e5 + i / 10 - 5e5, 0], 0.1],
    ['tenths before the origin', (i) => [-0.7 + i / 10, -1e3], 0.1],
    ['tenths along a slope of 3 in 4', (i) => [i * 0.06, i * 0.08], 0.1],
    ['tenths in three dimensions', (i) => [i / 30, (2 * i) / 30, 100 + (2 * i) / 30], 0.1],
    ['nanometres', (i) => [i * 1e-8, 0], 1e-8],
    ['gigametres', (i) => [i * 1e9, 0], 1e9],
    [
      'steps added up',
      (i) => [Array.from({ length: i }).reduce<number>((x) => x + 0.1, 0), 7],
      0.1,
    ],
    ...[17, 45, 133, 271].map((degrees): [string, (i: number) => number[], number] => [
      `a turn of ${degrees}° about a UTM origin`,
      (i) => [
        5e5 + (i / 10) * Math.cos((degrees * Math.PI) / 180),
        4.6e6 + (i / 10) * Math.sin((degrees * Math.PI) / 180),
      ],
      0.1,
    ]),
  ];

  it.each(places)('are the same in %s', async (_, place, lag) => {
    const coordinates = values.map((__, i) => place(i));
    const source = { coordinates, values };
    const { lags } = await runTask(variogram, { source, lag, cutoff: lag * 5 });
    expect(lags.map(({ pairs }) => pairs)).toEqual([10, 9, 8, 7, 6]);
    [1.25, 1.777778, 3.0625, 5.857143, 7.416667].forEach((semivariance, k) => {
      expect(lags[k]!.semivariance).toBeCloseTo(semivariance, 6);
      expect(lags[k]!.distance / lag).toBeCloseTo(k + 1, 5);
    });
  });

  it('take a distance that is honestly longer into the next class, and none beyond the cutoff', async () => {
    const ask = (beyond: number) =>
      runTask(variogram, {
        source: {
          coordinates: [0, 1, 3, 6, 6 + 5 + beyond].map((x) => [x, 0]),
          values: [0, 1, 3, 2, 5],
        },
        lag: 1,
        cutoff: 5,
      });
    const pairsOf = async (beyond: number) =>
      (await ask(beyond)).lags.map(({ distance, pairs }) => [Math.round(distance), pairs]);
    // 1, 2, 3, 3, 5, and 5 once more: that of the last sample.
    expect(await pairsOf(0)).toEqual(await pairsOf(1e-15 * 8));
    expect((await pairsOf(0)).at(-1)).toEqual([5, 2]);
    expect((await pairsOf(1e-8)).at(-1)).toEqual([5, 1]);
    expect((await pairsOf(-1e-8)).at(-1)).toEqual([5, 2]);
  });
});

describe('near-duplicates and fits at the edge', () => {
  const nodes = Array.from({ length: 36 }, (_, i) => [(i % 6) * 25, Math.floor(i / 6) * 25]);
  const valueAt = ([x = 0, y = 0]: number[]) => Math.sin(x / 45) * 2 + Math.cos(y / 60) * 3;
  const ask = (extra: number[][], lift = 0.4) => {
    const coordinates = [...nodes, ...extra];
    const values = coordinates.map((at, i) => valueAt(at) + (i < nodes.length ? 0 : lift));
    return runTask(variogram, { source: { coordinates, values }, lag: 12.5, cutoff: 100 });
  };

  it('names a pair a millimetre apart on a grid of 25 m, and fits to the rest', async () => {
    const plain = await ask([]);
    const { warnings, message, model, lags } = await ask([[50.001, 75]]);
    expect(lags[0]).toMatchObject({ pairs: 1 });
    expect(warnings[0]).toMatchObject({ slug: 'near-duplicates', samples: [20, 36] });
    expect(warnings[0]!.message).toContain('20 and 36 (0.001 apart)');
    expect(message).toContain(warnings[0]!.message);
    const range = model.structures[0]!.anisotropy.ellipsoid_ranges.major;
    const usual = plain.model.structures[0]!.anisotropy.ellipsoid_ranges.major;
    expect(range / usual).toBeGreaterThan(0.8);
    expect(range / usual).toBeLessThan(1.25);
    expect(model.structures[0]!.contribution).toBeGreaterThan(1);
    expect(plain.warnings.filter(({ slug }) => slug === 'near-duplicates')).toEqual([]);
  });

  it.each([0, 1e-160, 1e-12, 0.001, 0.2])(
    'names a pair %d apart, wherever it lies',
    async (apart) => {
      const { warnings } = await ask([[0, apart]]);
      expect(warnings[0]).toMatchObject({ slug: 'near-duplicates', samples: [0, 36] });
    },
  );

  it('does not call close pairs unusual where most samples have one', async () => {
    const { warnings, model } = await ask(nodes.map(([x = 0, y = 0]) => [x + 0.001, y]));
    expect(warnings.map(({ slug }) => slug)).not.toContain('near-duplicates');
    // They say what the nugget is: half the square of 0.4.
    expect(model.nugget).toBeCloseTo(0.08, 3);
    expect(model.structures[0]!.contribution).toBeGreaterThan(1);
  });

  it('says when no structure is better than a nugget, and gives the cutoff as the range', async () => {
    const coordinates = Array.from({ length: 40 }, (_, i) => [i, 0]);
    const source = { coordinates, values: coordinates.map(([x = 0]) => (x % 2) * 3) };
    const { warnings, model, message } = await runTask(variogram, {
      source,
      lag: 1,
      cutoff: 16,
      model: 'spherical',
    });
    expect(warnings).toMatchObject([{ slug: 'no-structure', samples: [] }]);
    expect(message).toContain('nugget alone');
    expect(model.structures[0]).toMatchObject({
      contribution: 0,
      anisotropy: { ellipsoid_ranges: { major: 16 } },
    });
  });

  it('gives a model where two samples differ by the last digit of a coordinate', async () => {
    const x = [0.3, 0.30000000000000004, 1.3, 2.3, 3.3, 4.3];
    const source = { coordinates: x.map((each) => [each, 0]), values: [1, 3, 2, 4, 1.5, 2.5] };
    const { warnings, model } = await runTask(variogram, { source, lag: 0.5, cutoff: 5 });
    expect(warnings[0]).toMatchObject({ slug: 'near-duplicates', samples: [0, 1] });
    expect(mistakes(kriging, { ...kriging.example, variogram: model })).toEqual([]);
  });

  it('names them where too few classes are left', async () => {
    const x = [0, 1e-12, 10, 20];
    const source = { coordinates: x.map((each) => [each, 0]), values: [1, 3, 2, 4] };
    await expect(runTask(variogram, { source, lag: 5, cutoff: 20 })).rejects.toMatchObject({
      problem: { slug: 'too-few-lags', detail: expect.stringContaining('as 0 and 1 of') },
    });
  });

  it.each([1e52, 1e90, 1e100, 1e-150, 1e-200])(
    'refuses values of about %d, which no model can hold, and names two of them',
    async (scale) => {
      const source = { ...meuseSource, values: meuseSource.values.map((v) => (v / 10) * scale) };
      await expect(runTask(variogram, { ...base, source })).rejects.toMatchObject({
        problem: {
          status: 422,
          slug: 'values-out-of-scale',
          detail: expect.stringMatching(/source\.values\[\d+\] and source\.values\[\d+\]/),
        },
      });
    },
  );

  it.each([1e-130, 1e-60, 1e-9, 1e9, 1e49])(
    'fits the same to values in a unit of %d',
    async (unit) => {
      const plain = await runTask(variogram, base);
      const source = { ...meuseSource, values: meuseSource.values.map((v) => v * unit) };
      const { model } = await runTask(variogram, { ...base, source });
      const [structure] = model.structures;
      const [expected] = plain.model.structures;
      expect(structure!.contribution / unit / unit).toBeCloseTo(expected!.contribution, 8);
      expect(
        structure!.anisotropy.ellipsoid_ranges.major / expected!.anisotropy.ellipsoid_ranges.major,
      ).toBeCloseTo(1, 7);
    },
  );
});

describe('the variogram task', () => {
  it('gives a model that kriging takes as it is', async () => {
    const { model } = await runTask(variogram, base);
    expect(mistakes(kriging, { ...kriging.example, variogram: model })).toEqual([]);
  });

  it('puts a pair at a class limit into the class that ends there, and one at the cutoff into the last', async () => {
    const source = {
      coordinates: [
        [0, 0],
        [10, 0],
        [30, 0],
        [60, 0],
      ],
      values: [0, 1, 3, 2],
    };
    const { lags } = await runTask(variogram, { source, lag: 10, cutoff: 50 });
    // Distances: 10, 30, 60 (beyond the cutoff), 20, 50, 30.
    expect(lags).toEqual([
      { pairs: 1, distance: 10, semivariance: 0.5 },
      { pairs: 1, distance: 20, semivariance: 2 },
      { pairs: 2, distance: 30, semivariance: 2.5 },
      { pairs: 1, distance: 50, semivariance: 0.5 },
    ]);
  });

  it('recovers a model from its own semivariances, whatever its shape', () => {
    const shapes = [
      ['spherical', (h: number) => (h < 1 ? 1.5 * h - 0.5 * h ** 3 : 1)],
      ['exponential', (h: number) => 1 - Math.exp(-3 * h)],
      ['gaussian', (h: number) => 1 - Math.exp(-3 * h * h)],
      [
        'cubic',
        (h: number) => (h < 1 ? 7 * h ** 2 - 8.75 * h ** 3 + 3.5 * h ** 5 - 0.75 * h ** 7 : 1),
      ],
    ] as const;
    for (const [type, shape] of shapes) {
      const lags = Array.from({ length: 12 }, (_, i) => {
        const distance = 25 + 50 * i;
        return { pairs: 100 + i, distance, semivariance: 0.2 + 0.7 * shape(distance / 330) };
      });
      const fit = fitVariogram(lags, { type }, 600);
      expect(fit.nugget).toBeCloseTo(0.2, 6);
      expect(fit.contribution).toBeCloseTo(0.7, 6);
      expect(fit.range).toBeCloseTo(330, 3);
    }
  });

  it('keeps the nugget at 0 where a line through the lags would start below', () => {
    const lags = [10, 20, 30, 40].map((distance) => ({
      pairs: 50,
      distance,
      semivariance: distance ** 1.5,
    }));
    for (const type of ['spherical', 'exponential', 'gaussian', 'linear'] as const) {
      const { nugget, contribution } = fitVariogram(lags, { type }, 40);
      expect(nugget).toBeGreaterThanOrEqual(0);
      expect(contribution).toBeGreaterThan(0);
    }
    expect(fitVariogram(lags, { type: 'linear' }, 40).nugget).toBe(0);
  });

  it('fits a pure nugget to semivariances that fall', () => {
    const lags = [10, 20, 30].map((distance) => ({
      pairs: 50,
      distance,
      semivariance: 5 - distance / 10,
    }));
    expect(fitVariogram(lags, { type: 'spherical' }, 30).contribution).toBe(0);
  });

  it('says when the semivariogram does not level off', async () => {
    const coordinates = Array.from({ length: 30 }, (_, i) => [i, 0]);
    const source = { coordinates, values: coordinates.map(([x]) => x!) };
    const { summary, message } = await runTask(variogram, {
      source,
      lag: 1,
      cutoff: 10,
      model: 'spherical',
    });
    expect(summary.range_at_limit).toBe(true);
    expect(message).toContain('does not level off');
  });

  it('refuses equal values and too few lags with a problem that tells what to do', async () => {
    const flat = { coordinates: meuseSource.coordinates, values: meuseSource.values.map(() => 3) };
    await expect(runTask(variogram, { ...base, source: flat })).rejects.toMatchObject({
      problem: { status: 422, slug: 'no-variation' },
    });
    await expect(runTask(variogram, { ...base, lag: 100, cutoff: 150 })).rejects.toMatchObject({
      problem: {
        status: 422,
        slug: 'too-few-lags',
        detail: expect.stringContaining('Raise cutoff'),
      },
    });
  });

  it('refuses impossible lags and a single sample, and says where', () => {
    expect(mistakes(variogram, { ...base, lag: 2000 })).toEqual([
      'lag: Expected at most cutoff (1500), not 2000',
    ]);
    expect(mistakes(variogram, { ...base, lag: 0.01 })).toEqual([
      'lag: Expected at most 10000 lags up to cutoff',
    ]);
    expect(mistakes(variogram, { ...base, model: 'hole' })[0]).toMatch(/^model: /);
    const source = { coordinates: [[1, 2]], values: [1] };
    expect(mistakes(variogram, { ...base, source })).toEqual([
      'source.coordinates: Expected at least 2 samples',
    ]);
  });

  it('stops at a cancel', async () => {
    const cancel = new AbortController();
    cancel.abort(new Error('canceled'));
    const run = runTask(variogram, base, recordingContext(cancel.signal));
    await expect(run).rejects.toThrow('canceled');
  });
});
