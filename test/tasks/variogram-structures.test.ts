import { describe, expect, it } from 'vitest';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { unitSemivariance } from '../../src/tasks/geostatistics/variogram-model/unit-semivariance.js';
import { fitVariogram } from '../../src/tasks/geostatistics/variogram/variogram-fit.js';
import variogram from '../../src/tasks/geostatistics/variogram/variogram.task.js';
import {
  largestDifference,
  meuseSource,
  mistakes,
  reference,
  runTask,
  someOfMeuseGrid,
} from './task-run.js';

const ALPHAS = [3, 5, 7, 9] as const;
const TYPES = ['spheroidal', 'generalisedcauchy'] as const;
const all = ALPHAS.flatMap((alpha) => TYPES.map((type) => ({ type, alpha })));

interface Case {
  unit: number[];
  values: number[];
  variances: number[];
}
const cases = reference<{ h: number[] } & Record<string, Case>>('meuse.structures.json');

const sphere = (radius: number) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});

describe.each(all)('the structure $type of alpha $alpha', ({ type, alpha }) => {
  const gamma = (h: number) => unitSemivariance({ type, alpha }, h);
  const expected = cases[`${type}_${alpha}`] as Case;

  it('has the values of a second derivation, and of the closed form', () => {
    cases.h.forEach((h, i) => expect(gamma(h)).toBeCloseTo(expected.unit[i]!, 9));
    if (type === 'generalisedcauchy') {
      for (const h of cases.h) expect(gamma(h)).toBeCloseTo(1 - (1 + h * h) ** (-alpha / 2), 14);
    } else {
      expect(gamma(1)).toBeCloseTo(0.9626754318, 9);
    }
  });

  it('is 0 at 0, rises without a jump or a kink, and comes to the sill', () => {
    expect(gamma(0)).toBe(0);
    const step = 1e-4;
    let [falls, sharpest] = [0, 0];
    for (let h = step; h < 4; h += step) {
      const [before, here, after] = [gamma(h - step), gamma(h), gamma(h + step)];
      if (after <= here) falls++;
      sharpest = Math.max(sharpest, Math.abs(after - 2 * here + before) / step ** 2);
    }
    expect(falls).toBe(0);
    // A jump or a kink would make the second difference as large as 1 / step, or its square.
    expect(sharpest).toBeLessThan(30);
    expect(gamma(1e6)).toBeCloseTo(1, 12);
    expect(gamma(1e-30)).toBeGreaterThan(0);
    expect(gamma(1e22)).toBe(1);
  });

  it('has a covariance that is positive definite among random places in three dimensions', () => {
    for (const [seed, size] of [
      [1, 2],
      [2, 0.5],
      [3, 6],
    ] as const) {
      const random = generator(seed);
      const places = Array.from({ length: 90 }, () => [0, 1, 2].map(() => random() * size));
      const covariances = places.map((one) =>
        places.map((other) =>
          // A smooth covariance of close places is singular but for rounding, which this is above.
          one === other
            ? 1 + 1e-12
            : 1 - gamma(Math.hypot(...one.map((x, axis) => x - other[axis]!))),
        ),
      );
      expect(isPositiveDefinite(covariances)).toBe(true);
    }
  });

  it('gives the kriging estimates of a system solved elsewhere', async () => {
    const { target } = await runTask(kriging, {
      source: meuseSource,
      target: { coordinates: someOfMeuseGrid },
      variogram: {
        nugget: 0.05,
        structures: [{ variogram_type: type, alpha, contribution: 0.6, anisotropy: sphere(700) }],
      },
      neighborhood: { ellipsoid: sphere(1e6), max_samples: 155 },
    });
    expect(largestDifference(target.values, expected.values)).toBeLessThan(1e-6);
    expect(largestDifference(target.variances, expected.variances)).toBeLessThan(1e-6);
  });

  it('is recovered by the fit from its own semivariances', () => {
    const lags = Array.from({ length: 14 }, (_, i) => {
      const distance = 25 + 50 * i;
      return { pairs: 100 + i, distance, semivariance: 0.2 + 0.7 * gamma(distance / 330) };
    });
    const fit = fitVariogram(lags, { type, alpha }, 700);
    expect(fit.edge).toBe('inside');
    expect(fit.nugget).toBeCloseTo(0.2, 5);
    expect(fit.contribution).toBeCloseTo(0.7, 5);
    expect(fit.range).toBeCloseTo(330, 2);
  });

  it('comes out of the variogram task as kriging takes it', async () => {
    const { model } = await runTask(variogram, {
      source: meuseSource,
      lag: 100,
      cutoff: 1500,
      model: type,
      alpha,
    });
    expect(model.structures[0]).toMatchObject({ variogram_type: type, alpha });
    expect(mistakes(kriging, { ...kriging.example, variogram: model })).toEqual([]);
  });
});

describe('alpha', () => {
  const structure = kriging.example.variogram.structures[0]!;
  const inKriging = (members: object) =>
    mistakes(kriging, {
      ...kriging.example,
      variogram: { nugget: 0, structures: [{ ...structure, ...members }] },
    });

  it('is required where the shape has one', () => {
    expect(inKriging({ variogram_type: 'spheroidal' })).toEqual([
      'variogram.structures.0.alpha: Expected 3, 5, 7 or 9: spheroidal needs an alpha',
    ]);
    expect(mistakes(variogram, { ...variogram.example, model: 'generalisedcauchy' })).toEqual([
      'alpha: Expected 3, 5, 7 or 9: generalisedcauchy needs an alpha',
    ]);
  });

  it('is refused where it has none, and when it is any other number', () => {
    expect(inKriging({ alpha: 3 })).toEqual([
      'variogram.structures.0.alpha: Only spheroidal and generalisedcauchy have an alpha',
    ]);
    for (const alpha of [0, 1, 2, 4, 6, 11, 3.5, -3, '3']) {
      expect(inKriging({ variogram_type: 'spheroidal', alpha })[0]).toMatch(
        /^variogram\.structures\.0\.alpha: /,
      );
    }
  });
});

/** Whether a symmetric matrix has a Cholesky factor. */
function isPositiveDefinite(matrix: number[][]): boolean {
  const lower: number[][] = [];
  for (const [i, row] of matrix.entries()) {
    const own: number[] = [];
    for (let j = 0; j <= i; j++) {
      const before = j === i ? own : lower[j]!;
      const rest = own.slice(0, j).reduce((sum, each, k) => sum - each * before[k]!, row[j]!);
      if (j === i && !(rest > 0)) return false;
      own.push(j === i ? Math.sqrt(rest) : rest / lower[j]![j]!);
    }
    lower.push(own);
  }
  return true;
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
