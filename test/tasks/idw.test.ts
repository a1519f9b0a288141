import { describe, expect, it } from 'vitest';
import idw from '../../src/tasks/geostatistics/idw/idw.task.js';
import {
  largestDifference,
  meuseSource,
  mistakes,
  reference,
  runTask,
  someOfMeuseGrid,
} from './task-run.js';

const nearest = (max_samples: number, radius = 1e6) => ({
  ellipsoid: { ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius } },
  max_samples,
});
const base = {
  source: meuseSource,
  target: { coordinates: someOfMeuseGrid },
  neighborhood: nearest(12),
};

describe('inverse distance weighting agrees with gstat to 1e-6', () => {
  const cases = reference<Record<string, (number | null)[]>>('meuse.cases.json');

  it('with the default power of 2', async () => {
    const { target } = await runTask(idw, base);
    expect(largestDifference(target.values, cases['idw_2']!)).toBeLessThan(1e-6);
  });

  it('with another power and all samples', async () => {
    const { target } = await runTask(idw, { ...base, power: 3.5, neighborhood: nearest(155) });
    expect(largestDifference(target.values, cases['idw_3.5']!)).toBeLessThan(1e-6);
  });

  it('within a radius, with null where samples are too few', async () => {
    const neighborhood = { ...nearest(8, 200), min_samples: 3 };
    const { target, summary, message } = await runTask(idw, { ...base, neighborhood });
    expect(largestDifference(target.values, cases['idw_within']!)).toBeLessThan(1e-6);
    expect(target.values).toContain(null);
    expect(summary.estimated).toBe(target.values.filter((value) => value !== null).length);
    expect(message).toMatch(/^Estimated \d+ of 311 points; the other \d+ have too few samples/);
  });

  it('in three dimensions', async () => {
    const data = reference<{
      samples: { coordinates: number[][]; values: number[] };
      targets: number[][];
      idw: number[];
    }>('synthetic.json');
    const parameters = {
      source: data.samples,
      target: { coordinates: data.targets },
      neighborhood: nearest(10),
    };
    const { target } = await runTask(idw, parameters);
    expect(largestDifference(target.values, data.idw)).toBeLessThan(1e-6);
  });
});

describe('inverse distance weighting', () => {
  it('gives a point on a sample its value, and on several samples their mean', async () => {
    const source = {
      coordinates: [
        [0, 0],
        [5, 5],
        [5, 5],
        [9, 1],
      ],
      values: [1, 2, 4, 8],
    };
    const target = {
      coordinates: [
        [0, 0],
        [5, 5],
      ],
    };
    const result = await runTask(idw, { source, target, neighborhood: nearest(4) });
    expect(result.target.values).toEqual([1, 3]);
  });

  it('stays finite for a high power very near and very far from samples', async () => {
    const source = {
      coordinates: [
        [0, 0],
        [1, 0],
      ],
      values: [1, 2],
    };
    const target = {
      coordinates: [
        [1e-9, 0],
        [1e9, 0],
      ],
    };
    const parameters = { source, target, power: 100, neighborhood: nearest(2, 1e12) };
    const {
      target: { values },
    } = await runTask(idw, parameters);
    expect(values[0]).toBeCloseTo(1, 12);
    expect(values[1]).toBeCloseTo(1.5, 6);
  });

  it('is a plain average with power 0', async () => {
    const source = {
      coordinates: [
        [0, 0],
        [1, 0],
        [7, 3],
      ],
      values: [1, 2, 6],
    };
    const parameters = {
      source,
      target: { coordinates: [[1, 1]] },
      power: 0,
      neighborhood: nearest(3),
    };
    expect((await runTask(idw, parameters)).target.values).toEqual([3]);
  });

  it('refuses a target of another dimension and a negative power, and says where', () => {
    const target = { coordinates: [[1, 2, 3]] };
    expect(mistakes(idw, { ...base, target })).toEqual([
      'target.coordinates: Expected 2 coordinates, as in source, not 3',
    ]);
    expect(mistakes(idw, { ...base, power: -1 })[0]).toMatch(/^power: /);
  });
});
