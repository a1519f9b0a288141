import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import validation from '../../src/tasks/geostatistics/cross-validation/cross-validation.task.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import {
  largestDifference,
  meuseSource,
  mistakes,
  recordingContext,
  reference,
  runTask,
} from './task-run.js';

interface Reference {
  estimates: (number | null)[];
  variances: (number | null)[];
  residuals: (number | null)[];
  z_scores: (number | null)[];
  folds: number[];
  summary: Record<string, number>;
}
const gstat = reference<Record<string, Reference> & { assignment: number[] }>(
  'meuse.cross-validation.json',
);

const sphere = (radius: number) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});
const base = {
  source: meuseSource,
  variogram: {
    nugget: 0.05,
    structures: [
      { variogram_type: 'spherical' as const, contribution: 0.6, anisotropy: sphere(900) },
    ],
  },
  neighborhood: { ellipsoid: sphere(1e6), max_samples: 155 },
};
const folds = { type: 'explicit' as const, assignment: gstat.assignment };

describe('cross-validation agrees with gstat’s krige.cv to 1e-6', () => {
  const cases = [
    ['leave_one_out', {}],
    ['leave_one_out_of_16', { neighborhood: { ...base.neighborhood, max_samples: 16 } }],
    ['within', { neighborhood: { ellipsoid: sphere(180), max_samples: 12, min_samples: 3 } }],
    ['ten_folds', { folds }],
    ['ten_folds_of_7', { folds, neighborhood: { ...base.neighborhood, max_samples: 7 } }],
    [
      'simple',
      {
        folds,
        neighborhood: { ...base.neighborhood, max_samples: 20 },
        kriging_method: { type: 'simple' as const, mean: 5.9 },
      },
    ],
  ] as const;

  it.each(cases)('on %s', async (name, change) => {
    const expected = gstat[name] as Reference;
    const { samples, summary, warnings } = await runTask(validation, { ...base, ...change });
    expect(samples.observed).toEqual(meuseSource.values);
    for (const list of ['estimates', 'variances', 'residuals', 'z_scores'] as const) {
      expect(largestDifference(samples[list], expected[list])).toBeLessThan(1e-6);
    }
    for (const statistic of [
      'mean_error',
      'root_mean_squared_error',
      'mean_squared_deviation_ratio',
      'correlation',
    ] as const) {
      expect(summary[statistic]).toBeCloseTo(expected.summary[statistic]!, 7);
    }
    expect(summary.estimated).toBe(expected.estimates.filter((each) => each !== null).length);
    expect(warnings).toEqual([]);
  });
});

describe('folds', () => {
  const ask = (k: number, seed?: number) =>
    runTask(validation, {
      ...base,
      neighborhood: { ...base.neighborhood, max_samples: 8 },
      folds: { type: 'k_fold', k, ...(seed !== undefined && { seed }) },
    });

  it('are the same for the same seed, and others for another', async () => {
    const [first, again, other] = await Promise.all([ask(10, 7), ask(10, 7), ask(10, 8)]);
    expect(again.samples).toEqual(first.samples);
    expect(other.samples.folds).not.toEqual(first.samples.folds);
  });

  it('have the same size but for one, each its number', async () => {
    const { samples, summary } = await ask(10);
    const sizes = Array.from({ length: 10 }, () => 0);
    for (const fold of samples.folds) sizes[fold]!++;
    expect(sizes.toSorted((a, b) => a - b)).toEqual([15, 15, 15, 15, 15, 16, 16, 16, 16, 16]);
    expect(summary.folds).toBe(10);
  });

  it('as many as samples are leave-one-out', async () => {
    const neighborhood = { ...base.neighborhood, max_samples: 8 };
    const [all, one] = [await ask(155, 3), await runTask(validation, { ...base, neighborhood })];
    expect(largestDifference(all.samples.estimates, one.samples.estimates)).toBeLessThan(1e-12);
    expect(one.samples.folds).toEqual(meuseSource.values.map((_, i) => i));
  });

  it('can be repeated as given', async () => {
    const { samples } = await ask(10, 7);
    const given = await runTask(validation, {
      ...base,
      neighborhood: { ...base.neighborhood, max_samples: 8 },
      folds: { type: 'explicit', assignment: samples.folds },
    });
    expect(given.samples).toEqual(samples);
  });

  it('do not look into their own samples, whatever these are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 9 }),
        fc.double({ min: -50, max: 50 }),
        async (fold, lift) => {
          if (Number.isNaN(lift)) return;
          const neighborhood = { ...base.neighborhood, max_samples: 10 };
          const values = meuseSource.values.map((value, i) =>
            gstat.assignment[i] === fold + 1 ? value + lift : value,
          );
          const plain = await runTask(validation, { ...base, neighborhood, folds });
          const lifted = await runTask(validation, {
            ...base,
            neighborhood,
            folds,
            source: { ...meuseSource, values },
          });
          plain.samples.estimates.forEach((estimate, i) => {
            if (gstat.assignment[i] === fold + 1)
              expect(lifted.samples.estimates[i]).toBe(estimate);
          });
        },
      ),
      { numRuns: 10, seed: 5 },
    );
  });

  it('of one sample are estimated as the kriging task does it from the others, ties and all', async () => {
    const places = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
      { minLength: 3, maxLength: 20, selector: String },
    );
    const neighborhoods = fc.record({
      max_samples: fc.integer({ min: 2, max: 8 }),
      min_samples: fc.integer({ min: 1, max: 2 }),
      ellipsoid: fc.constantFrom(...[1, 2, 5, 1e6].map(sphere)),
    });
    await fc.assert(
      fc.asyncProperty(places, neighborhoods, async (coordinates, neighborhood) => {
        const values = coordinates.map(([x, y], i) => x * 3 + y + (i % 4));
        const variogram = { ...base.variogram, nugget: 0.3 };
        const estimator = { variogram, neighborhood };
        const { samples } = await runTask(validation, {
          ...estimator,
          source: { coordinates, values },
        });
        for (const [i, place] of coordinates.entries()) {
          const { target } = await runTask(kriging, {
            ...estimator,
            source: { coordinates: coordinates.toSpliced(i, 1), values: values.toSpliced(i, 1) },
            target: { coordinates: [place] },
          });
          expect(largestDifference([samples.estimates[i]!], target.values)).toBeLessThan(1e-10);
          expect(largestDifference([samples.variances[i]!], target.variances)).toBeLessThan(1e-10);
        }
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('that make no sense are refused, and it is said where', () => {
    const of = (given: object) => mistakes(validation, { ...base, folds: given });
    expect(of({ type: 'k_fold', k: 156 })).toEqual([
      'folds.k: Expected at most one fold for each of the 155 samples',
    ]);
    expect(of({ type: 'k_fold', k: 1 })[0]).toMatch(/^folds\.k: /);
    expect(of({ type: 'k_fold', k: 2.5 })[0]).toMatch(/^folds\.k: /);
    expect(of({ type: 'k_fold', k: 5, seed: -1 })[0]).toMatch(/^folds\.seed: /);
    expect(of({ type: 'explicit', assignment: [1, 2] })).toEqual([
      'folds.assignment: Expected one fold for each of the 155 samples, not 2',
    ]);
    expect(of({ type: 'explicit', assignment: meuseSource.values.map(() => 4) })).toEqual([
      'folds.assignment: Expected at least 2 folds: no sample is left to estimate from',
    ]);
    expect(of({ type: 'bootstrap' })[0]).toMatch(/^folds\.type: /);
    expect(of({ type: 'leave_one_out', k: 3 })[0]).toMatch(/^folds/);
  });
});

describe('cross-validation', () => {
  it('refuses one sample, two at one place, and a linear structure with a known mean', async () => {
    const one = { coordinates: [[1, 2]], values: [1] };
    expect(mistakes(validation, { ...base, source: one })).toEqual([
      'source.coordinates: Expected at least 2 samples',
    ]);
    const [place] = meuseSource.coordinates;
    const twins = {
      coordinates: [...meuseSource.coordinates, place!],
      values: [...meuseSource.values, 1],
    };
    await expect(runTask(validation, { ...base, source: twins })).rejects.toMatchObject({
      problem: { status: 422, slug: 'duplicate-samples' },
    });
    const [structure] = base.variogram.structures;
    const linear = { nugget: 0, structures: [{ ...structure!, variogram_type: 'linear' }] };
    expect(
      mistakes(validation, {
        ...base,
        variogram: linear,
        kriging_method: { type: 'simple', mean: 0 },
      })[0],
    ).toMatch(/^variogram\.structures\.0\.variogram_type: A linear structure has no sill/);
  });

  it('names samples by their place in the source when a system is singular', async () => {
    const coordinates = [
      [70, 80],
      [10, 10],
      [10.000000001, 10],
      [40, 15],
    ];
    const variogram = {
      nugget: 0,
      structures: [
        { variogram_type: 'gaussian' as const, contribution: 1, anisotropy: sphere(100) },
      ],
    };
    const source = { coordinates, values: [1, 2, 2.5, 3] };
    await expect(runTask(validation, { ...base, source, variogram })).rejects.toMatchObject({
      problem: {
        status: 422,
        slug: 'singular-kriging-system',
        detail: expect.stringMatching(/Without sample [0-3] .*samples? .*[12]/),
      },
    });
  });

  it('warns of near-duplicates, whose residuals say little', async () => {
    const [x = 0, y = 0] = meuseSource.coordinates[4]!;
    const source = {
      coordinates: [...meuseSource.coordinates, [x + 0.01, y]],
      values: [...meuseSource.values, 6],
    };
    const { warnings, message } = await runTask(validation, { ...base, source });
    expect(warnings).toMatchObject([{ slug: 'near-duplicates', samples: [4, 155] }]);
    expect(message).toContain('4 and 155');
  });

  it('tells its progress up to all samples, and stops at a cancel', async () => {
    const context = recordingContext();
    await runTask(validation, base, context);
    expect(context.told.at(-1)).toEqual({
      percent: 100,
      message: 'Estimated 155 of 155 samples',
    });
    const cancel = new AbortController();
    cancel.abort(new Error('canceled'));
    await expect(runTask(validation, base, recordingContext(cancel.signal))).rejects.toThrow(
      'canceled',
    );
  });
});

describe('a filter of the source', () => {
  it('leaves samples out of the estimates and of what is estimated, in their places', async () => {
    const coordinates = Array.from({ length: 20 }, (_, i) => [i % 5, Math.floor(i / 5)]);
    const values = coordinates.map(([x, y]) => x! + 2 * y!);
    const kind = values.map((_, i) => (i % 4 === 1 ? 'blank' : 'ore'));
    const parameters = {
      variogram: {
        nugget: 0.1,
        structures: [
          {
            variogram_type: 'spherical' as const,
            contribution: 1,
            anisotropy: { ellipsoid_ranges: { major: 3, semi_major: 3, minor: 3 } },
          },
        ],
      },
      neighborhood: {
        ellipsoid: { ellipsoid_ranges: { major: 10, semi_major: 10, minor: 10 } },
        max_samples: 8,
      },
    };
    const whole = await runTask(validation, {
      ...parameters,
      source: {
        coordinates,
        values,
        attributes: { kind },
        filter: {
          where: { type: 'condition', attribute: 'kind', operator: 'not_in', values: ['blank'] },
        },
      },
    });
    const ore = [...kind.keys()].filter((i) => kind[i] === 'ore');
    const alone = await runTask(validation, {
      ...parameters,
      source: {
        coordinates: ore.map((i) => coordinates[i]!),
        values: ore.map((i) => values[i]!),
      },
    });
    expect(ore.map((i) => whole.samples.estimates[i])).toEqual(alone.samples.estimates);
    expect(whole.samples.estimates.filter((estimate) => estimate === null)).toHaveLength(5);
    expect(whole.summary.samples).toBe(15);
  });
});
