import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import variogram from '../../src/tasks/geostatistics/variogram/variogram.task.js';
import {
  type Shape,
  unitSemivariance,
} from '../../src/tasks/geostatistics/variogram-model/unit-semivariance.js';
import { anySource, edgy, lengths, outcomeOf } from './numbers-edges.js';
import { effort, TIMEOUT } from './fuzz-seed.js';

interface Results {
  lags: { pairs: number; distance: number; semivariance: number }[];
  model: {
    nugget: number;
    structures: { contribution: number; anisotropy: { ellipsoid_ranges: { major: number } } }[];
  };
  warnings: { slug: string; samples: number[] }[];
  summary: { weighted_sum_of_squares: number };
}

const SHAPES = [
  { model: 'spherical' },
  { model: 'exponential' },
  { model: 'gaussian' },
  { model: 'cubic' },
  { model: 'linear' },
  { model: 'spheroidal', alpha: 5 },
  { model: 'generalisedcauchy', alpha: 3 },
] as const;

/** Nodes of a regular grid as whole numbers, and where it lies: the exact truth is in whole numbers. */
const regular = fc
  .record({
    dimension: fc.constantFrom(2, 3),
    nodes: fc.uniqueArray(fc.tuple(...[7, 7, 4].map((max) => fc.integer({ min: 0, max }))), {
      minLength: 8,
      maxLength: 30,
      selector: String,
    }),
    line: fc.boolean(),
    spacing: fc.oneof(
      fc.constantFrom(0.1, 0.3, 0.7, 1 / 3, 1.1, 25, 2.54, 0.05),
      fc.integer({ min: 1, max: 999 }).map((n) => n / 1000),
    ),
    unit: fc.constantFrom(1, 1e-6, 1e-3, 1e3, 1e6),
    steps: fc.constantFrom(1, 2, 3, 0.5),
    classes: fc.integer({ min: 4, max: 12 }),
    angle: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 359 })),
    // In spacings: UTM coordinates are hundreds of thousands of metres.
    origin: fc.constantFrom(0, 0, 1, -1000, 5e5, 4.5e6 / 7),
  })
  .filter(({ nodes, dimension, line, origin, spacing, unit }) => {
    if (Math.abs(origin) * spacing * unit > 9e11) return false;
    const kept = new Set(nodes.map((node) => node.slice(0, line ? 1 : dimension).join()));
    return kept.size >= 4;
  });

describe('variograms that were made up', () => {
  it(
    'have the classes of whole numbers, wherever the grid lies, however it is turned and in any unit',
    { timeout: TIMEOUT },
    async () => {
      await fc.assert(
        fc.asyncProperty(regular, async (drawn) => {
          const { nodes, dimension, line, spacing, unit, steps, classes, angle, origin } = drawn;
          const kept = [
            ...new Map(
              nodes.map((node) => {
                const used = node.map((n, axis) => (axis < (line ? 1 : dimension) ? n : 0));
                return [used.join(), used] as const;
              }),
            ).values(),
          ];
          const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
          const size = spacing * unit;
          const coordinates = kept.map(([i = 0, j = 0, k = 0]) =>
            [
              origin * size + i * size * cos - j * size * sin,
              origin * size + i * size * sin + j * size * cos,
              k * size,
            ].slice(0, dimension),
          );
          const values = kept.map(
            ([i = 0, j = 0, k = 0]) => ((i * 7 + j * 13 + k * 5) % 11) + i / 4,
          );
          const lag = steps * size;
          const outcome = await outcomeOf<Results>(variogram, {
            source: { coordinates, values },
            lag,
            cutoff: lag * classes,
          });
          if (!('results' in outcome)) return;
          const truth = exactClasses(kept, values, steps, classes);
          expect(outcome.results.lags.map(({ pairs }) => pairs)).toEqual(
            truth.map(({ pairs }) => pairs),
          );
          outcome.results.lags.forEach(({ semivariance, distance }, k) => {
            expect(semivariance).toBeCloseTo(truth[k]!.semivariance, 9);
            expect(distance / size / truth[k]!.distance).toBeCloseTo(1, 7);
          });
        }),
        effort(300),
      );
    },
  );

  it('end in a model or in a 422, whatever they are made of', { timeout: TIMEOUT }, async () => {
    const anything = fc.record({
      source: anySource,
      lag: lengths,
      classes: fc.integer({ min: 1, max: 40 }),
      shape: fc.constantFrom(...SHAPES),
    });
    await fc.assert(
      fc.asyncProperty(anything, async ({ source, lag, classes, shape }) => {
        const cutoff = Math.min(1e12, lag * classes);
        const outcome = await outcomeOf<Results>(variogram, { source, lag, cutoff, ...shape });
        if ('slug' in outcome) {
          expect(['too-few-lags', 'no-variation', 'values-out-of-scale']).toContain(outcome.slug);
        }
      }),
      effort(2000),
    );
  });

  it(
    'end so near the edges too: close pairs, flat values, great and tiny ones',
    { timeout: TIMEOUT },
    async () => {
      const line = fc.record({
        gaps: fc.array(edgy(5e-324, 1e11), { minLength: 5, maxLength: 20 }),
        values: fc.array(edgy(-1e100, 1e100), { minLength: 20, maxLength: 20 }),
        flat: fc.boolean(),
        scale: fc.constantFrom(1, 1e-300, 1e-160, 1e-150, 1e-60, 1e50, 1e51, 1e90),
        steps: fc.integer({ min: 1, max: 40 }),
        shape: fc.constantFrom(...SHAPES),
      });
      await fc.assert(
        fc.asyncProperty(line, async ({ gaps, values, flat, scale, steps, shape }) => {
          let x = 0;
          const coordinates = [[0, 0], ...gaps.map((gap) => [(x = Math.min(1e12, x + gap)), 0])];
          const source = {
            coordinates,
            values: coordinates.map((_, i) =>
              flat ? scale * (i % 2) : Math.max(-1e100, Math.min(1e100, values[i % 20]! * scale)),
            ),
          };
          const cutoff = Math.max(1e-9, Math.min(1e12, x));
          const lag = Math.max(1e-9, cutoff / steps);
          await outcomeOf(variogram, { source, lag, cutoff, ...shape });
        }),
        effort(2000),
      );
    },
  );

  it(
    'are the same in every unit of length and value, and in every order of the samples',
    { timeout: TIMEOUT },
    async () => {
      const data = fc.record({
        coordinates: fc.uniqueArray(
          fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })),
          { minLength: 12, maxLength: 40, selector: String },
        ),
        noise: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 40, maxLength: 40 }),
        length: fc.integer({ min: -20, max: 25 }).map((n) => 2 ** n),
        value: fc.integer({ min: -400, max: 150 }).map((n) => 2 ** n),
        turn: fc.integer({ min: 1, max: 11 }),
        shape: fc.constantFrom(...SHAPES),
      });
      await fc.assert(
        fc.asyncProperty(data, async ({ coordinates, noise, length, value, turn, shape }) => {
          const values = coordinates.map(([x, y], i) => Math.sin(x / 9) * 20 + y / 3 + noise[i]!);
          const ask = { lag: 4, cutoff: 32, ...shape };
          const plain = await outcomeOf<Results>(variogram, {
            ...ask,
            source: { coordinates, values },
          });
          const moved = coordinates.map(([x, y]) => [x * length, y * length]);
          const other = await outcomeOf<Results>(variogram, {
            ...ask,
            lag: 4 * length,
            cutoff: 32 * length,
            source: {
              coordinates: [...moved.slice(turn), ...moved.slice(0, turn)],
              values: [...values.slice(turn), ...values.slice(0, turn)].map((v) => v * value),
            },
          });
          if ('slug' in plain || 'slug' in other) {
            expect(other).toMatchObject({ slug: 'slug' in plain ? plain.slug : 'none' });
            return;
          }
          const [a, b] = [fitOf(plain.results), fitOf(other.results)];
          const sill = a.nugget + a.contribution;
          expect(b.slugs).toEqual(a.slugs);
          // Where the fit hardly depends on the range, rounding moves it: the curve it does not move.
          for (const h of [4, 8, 16, 32]) {
            const gamma = ({ nugget, contribution, range }: typeof a, unit: number) =>
              nugget +
              contribution *
                unitSemivariance({ type: shape.model, ...shape } as Shape, (h * unit) / range);
            expect(gamma(b, length) / value / value / sill).toBeCloseTo(gamma(a, 1) / sill, 5);
          }
        }),
        effort(200),
      );
    },
  );
});

function fitOf({ model, warnings }: Results) {
  const [structure] = model.structures;
  return {
    nugget: model.nugget,
    contribution: structure!.contribution,
    range: structure!.anisotropy.ellipsoid_ranges.major,
    slugs: warnings.map(({ slug }) => slug),
  };
}

/** The classes in whole numbers: 4 q <= (2 steps (k + 1))², where q is the squared distance. */
function exactClasses(nodes: number[][], values: number[], steps: number, classes: number) {
  const found = new Map<number, { pairs: number; distance: number; squares: number }>();
  nodes.forEach((a, i) => {
    nodes.slice(0, i).forEach((b, j) => {
      const q = a.reduce((sum, n, axis) => sum + (n - b[axis]!) ** 2, 0);
      let k = 0;
      while (4 * q > (2 * steps * (k + 1)) ** 2) k++;
      if (k >= classes) return;
      const { pairs, distance, squares } = found.get(k) ?? { pairs: 0, distance: 0, squares: 0 };
      found.set(k, {
        pairs: pairs + 1,
        distance: distance + Math.sqrt(q),
        squares: squares + (values[i]! - values[j]!) ** 2,
      });
    });
  });
  return [...found]
    .toSorted(([a], [b]) => a - b)
    .map(([, { pairs, distance, squares }]) => ({
      pairs,
      distance: distance / pairs,
      semivariance: squares / pairs / 2,
    }));
}
