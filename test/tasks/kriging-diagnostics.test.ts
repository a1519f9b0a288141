import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { VariogramFunction } from '../../src/tasks/geostatistics/variogram-model/variogram-function.js';
import { mistakes, reference, runTask } from './task-run.js';

const flat = { dip_azimuth: 0, dip: 0, pitch: 0 };
const ellipsoid = (major: number, semi_major = major, minor = major) => ({
  ellipsoid_ranges: { major, semi_major, minor },
  rotation: flat,
});
const variogram = {
  nugget: 0.2,
  structures: [
    { variogram_type: 'spherical' as const, contribution: 1.3, anisotropy: ellipsoid(40, 25, 25) },
  ],
};
const everything = { ellipsoid: ellipsoid(1e6), max_samples: 50 };
const all = {
  valid: true,
  kriging_variance: true,
  slope_of_regression: true,
  kriging_efficiency: true,
  kriging_mean: true,
  num_samples: true,
  num_duplicates: true,
  num_equidistant: true,
  sum_weights: true,
  sum_positive_weights: true,
  sum_negative_weights: true,
  min_distance: true,
  mean_distance: true,
  aniso_min_distance: true,
  aniso_mean_distance: true,
};

/** Solves a dense system by Gaussian elimination with row exchanges. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const x = Array.from({ length: n }, () => 0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= rows[i]![j]! * x[j]!;
    x[i] = sum / rows[i]![i]!;
  }
  return x;
}

/** Never nearer to one another than a thousandth, so that the dense system carries the digits. */
const coordinate = fc.integer({ min: 0, max: 100_000 }).map((number) => number / 1_000);
const place = fc.tuple(coordinate, coordinate);
const inputs = fc.record({
  samples: fc.uniqueArray(fc.tuple(place, fc.double({ min: -5, max: 5, noNaN: true })), {
    minLength: 2,
    maxLength: 12,
    selector: ([[x, y]]) => `${Math.round(x)} ${Math.round(y)}`,
  }),
  // Half a thousandth off: on no sample.
  target: place.map(([x, y]) => [x + 0.0005, y] as const),
});

describe('the diagnostics of kriging', () => {
  it('are those of the system with a Lagrange multiplier, solved densely', async () => {
    const model = new VariogramFunction(variogram);
    const sill = 1.5;
    await fc.assert(
      fc.asyncProperty(inputs, async ({ samples, target }) => {
        const coordinates = samples.map(([at]) => [...at]);
        const values = samples.map(([, value]) => value);
        const n = values.length;
        const { target: found } = await runTask(kriging, {
          source: { coordinates, values },
          target: { coordinates: [[...target]], diagnostics: all },
          variogram,
          neighborhood: everything,
        });
        const covariance = ([x, y]: number[], [a, b]: number[]) => {
          const gamma = new Float64Array(1);
          const [xs, ys] = [Float64Array.of(x!), Float64Array.of(y!)];
          model.to({ x: xs, y: ys, z: new Float64Array(1) }, 1, a!, b!, 0, gamma);
          return sill - gamma[0]!;
        };
        const c = coordinates.map((one) =>
          coordinates.map((other) => (one === other ? sill : covariance(one, other))),
        );
        const k = coordinates.map((one) => covariance(one, [...target]));
        const ones = Array.from({ length: n }, () => 1);
        const lagrange = [...c.map((row) => [...row, 1]), [...ones, 0]];
        const weights = solve(lagrange, [...k, 1]).slice(0, n);
        const means = solve(lagrange, [...ones.map(() => 0), 1]).slice(0, n);
        const dot = (a: number[], b: number[]) => a.reduce((sum, one, i) => sum + one * b[i]!, 0);
        const variance = weights.map((_, i) => dot(c[i]!, weights));
        const kv = sill + dot(weights, variance) - 2 * dot(weights, k);
        const sum = (is: (weight: number) => boolean) =>
          weights.filter(is).reduce((total, weight) => total + weight, 0);
        const distances = coordinates.map(([x, y]) => Math.hypot(x! - target[0], y! - target[1]));
        const only = (name: keyof typeof all) => found.diagnostics?.[name]?.[0] as number;
        expect(found.diagnostics?.valid).toEqual([true]);
        expect(only('num_samples')).toBe(n);
        expect(only('num_duplicates')).toBe(0);
        expect(only('num_equidistant')).toBe(0);
        expect(only('kriging_variance')).toBe(found.variances[0]);
        expect(only('kriging_variance')).toBeCloseTo(kv, 8);
        expect(only('kriging_efficiency')).toBeCloseTo((sill - kv) / sill, 8);
        const slope = dot(weights, k) / dot(weights, variance);
        expect(only('slope_of_regression')).toBeCloseTo(slope, 6);
        expect(only('kriging_mean')).toBeCloseTo(dot(means, values), 7);
        expect(only('sum_weights')).toBeCloseTo(1, 10);
        expect(only('sum_positive_weights')).toBeCloseTo(
          sum((weight) => weight > 0),
          8,
        );
        expect(only('sum_negative_weights')).toBeCloseTo(
          sum((weight) => weight < 0),
          8,
        );
        expect(only('min_distance')).toBeCloseTo(Math.min(...distances), 10);
        expect(only('mean_distance')).toBeCloseTo(dot(distances, ones) / n, 10);
        expect(only('aniso_min_distance')).toBeCloseTo(Math.min(...distances), 10);
      }),
      { numRuns: 200, seed: 20_261_126 },
    );
  });

  it('agree with gstlearn and GSTools', async () => {
    const cases = reference<{
      samples: { coordinates: number[][]; values: number[] };
      targets: number[][];
      sum_positive: number[];
      sum_negative: number[];
      variance: number[];
      mean: number;
    }>('diagnostics.json');
    const { target } = await runTask(kriging, {
      source: cases.samples,
      target: { coordinates: cases.targets, diagnostics: all },
      variogram: {
        nugget: 0.02,
        structures: [{ variogram_type: 'cubic', contribution: 0.98, anisotropy: ellipsoid(150) }],
      },
      neighborhood: everything,
    });
    cases.targets.forEach((_, i) => {
      expect(target.diagnostics?.sum_positive_weights?.[i]).toBeCloseTo(cases.sum_positive[i]!, 6);
      expect(target.diagnostics?.sum_negative_weights?.[i]).toBeCloseTo(cases.sum_negative[i]!, 6);
      expect(target.variances[i]).toBeCloseTo(cases.variance[i]!, 6);
      expect(target.diagnostics?.kriging_mean?.[i]).toBeCloseTo(cases.mean, 6);
    });
  });

  const square = [
    [0, 0],
    [2, 0],
    [0, 2],
    [2, 2],
    [9, 9],
  ];
  const source = { coordinates: square, values: [1, 2, 3, 4, 9] };

  it('tell of a point on a sample, one without enough samples, and of ties at the cut', async () => {
    const { target } = await runTask(kriging, {
      source,
      target: {
        coordinates: [
          [0, 0],
          [1, 1],
          [50, 50],
        ],
        diagnostics: { ...all, num_samples: { operation: 'create', name: 'NS' } },
      },
      variogram,
      neighborhood: { ellipsoid: ellipsoid(20), max_samples: 3 },
    });
    const { diagnostics } = target;
    expect(diagnostics?.valid).toEqual([true, true, false]);
    expect(diagnostics?.num_samples).toEqual([3, 3, 0]);
    expect(diagnostics?.num_equidistant).toEqual([0, 1, null]);
    expect(diagnostics?.kriging_variance?.[0]).toBe(0);
    expect(diagnostics?.slope_of_regression?.[0]).toBe(1);
    expect(diagnostics?.kriging_efficiency?.[0]).toBe(1);
    expect(diagnostics?.sum_weights?.slice(0, 2)).toEqual([1, expect.closeTo(1, 12)]);
    expect(diagnostics?.min_distance?.[1]).toBeCloseTo(Math.SQRT2, 12);
  });

  it('compute only what is wanted, and know no drillholes', async () => {
    const wish = (diagnostics: object) => ({
      source,
      target: { coordinates: [[1, 1]], diagnostics },
      variogram,
      neighborhood: everything,
    });
    const some = await runTask(kriging, wish({ sum_weights: true, valid: false }));
    expect(Object.keys(some.target.diagnostics ?? {})).toEqual(['sum_weights']);
    expect((await runTask(kriging, wish({}))).target.diagnostics).toBeUndefined();
    expect(mistakes(kriging, wish({ num_drillholes: true }))).toEqual([
      expect.stringContaining('do not name their drillholes'),
    ]);
    expect(mistakes(kriging, wish({ skewness: true }))).toHaveLength(1);
  });

  it('are null for simple kriging where they make no sense, and its own where they do', async () => {
    const { target } = await runTask(kriging, {
      source,
      target: { coordinates: [[1, 1.5]], diagnostics: all },
      variogram,
      neighborhood: everything,
      kriging_method: { type: 'simple', mean: 2 },
    });
    expect(target.diagnostics?.kriging_mean).toEqual([2]);
    expect(target.diagnostics?.slope_of_regression).toEqual([1]);
    const linear = await runTask(kriging, {
      source,
      target: { coordinates: [[1, 1.5]], diagnostics: all },
      variogram: {
        nugget: 0,
        structures: [{ variogram_type: 'linear', contribution: 1, anisotropy: ellipsoid(10) }],
      },
      neighborhood: everything,
    });
    expect(linear.target.diagnostics?.kriging_efficiency).toEqual([null]);
    expect(linear.target.diagnostics?.sum_weights?.[0]).toBeCloseTo(1, 10);
  });
});
