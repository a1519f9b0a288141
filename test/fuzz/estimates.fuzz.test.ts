import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import validation from '../../src/tasks/geostatistics/cross-validation/cross-validation.task.js';
import idw from '../../src/tasks/geostatistics/idw/idw.task.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { ordinaryKriging } from './dense-kriging.js';
import { effort, TIMEOUT } from './fuzz-seed.js';
import { anySource, edgy, lengths, outcomeOf } from './numbers-edges.js';

interface Estimated {
  target: { values: (number | null)[]; variances?: (number | null)[] };
}

const sphere = (radius: number) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});
const spherical = (nugget: number, contribution: number, range: number) => ({
  nugget,
  structures: [{ variogram_type: 'spherical', contribution, anisotropy: sphere(range) }],
});

/** Whole places within a square of 21 × 21, and how they become decimal fractions. */
const lattice = fc.record({
  places: fc.uniqueArray(
    fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })),
    { minLength: 2, maxLength: 24, selector: String },
  ),
  target: fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })),
  // Divided, not multiplied: 3 / 10 is what people write, 3 * 0.1 is not.
  parts: fc.constantFrom(1, 2, 10, 20, 100, 1000, 3, 7),
  origin: fc.constantFrom(0, 0, -7, 1000, 5_000_000),
  values: fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 24, maxLength: 24 }),
});

const coordinatesOf = (
  { parts, origin }: { parts: number; origin: number },
  [i, j]: readonly [number, number],
) => [(origin + i) / parts, (2 * origin + j) / parts];

describe('estimates that were made up', () => {
  it(
    'honour samples on the nodes of decimal grids, whatever the nugget',
    { timeout: TIMEOUT },
    async () => {
      const grids = fc.record({
        drawn: lattice,
        nugget: fc.constantFrom(0, 0.5, 1),
        steps: fc.constantFrom(1, 2, 5),
      });
      await fc.assert(
        fc.asyncProperty(grids, async ({ drawn, nugget, steps }) => {
          const { places, values, parts, origin } = drawn;
          // Nodes at whole places: cells of `steps`, which begin half of one before.
          const on = places.filter(([i, j]) => i % steps === 0 && j % steps === 0);
          const size = Math.floor(20 / steps) + 1;
          const outcome = await outcomeOf<Estimated>(kriging, {
            source: {
              coordinates: places.map((at) => coordinatesOf(drawn, at)),
              values: values.slice(0, places.length),
            },
            target: {
              grid: {
                origin: [(origin - steps / 2) / parts, (2 * origin - steps / 2) / parts],
                spacing: [steps / parts, steps / parts],
                size: [size, size],
              },
            },
            variogram: spherical(nugget, 1, 10 / parts),
            neighborhood: { ellipsoid: sphere(1e6), max_samples: 20 },
          });
          if (!('results' in outcome)) throw new Error(outcome.slug);
          for (const at of on) {
            const cell = at[0] / steps + (at[1] / steps) * size;
            const k = places.indexOf(at);
            expect(outcome.results.target.values[cell]).toBe(values[k]);
            expect(outcome.results.target.variances![cell]).toBe(0);
          }
        }),
        effort(150),
      );
    },
  );

  it(
    'are made of the samples in the sphere and on it, as whole numbers say',
    { timeout: TIMEOUT },
    async () => {
      const spheres = fc.record({
        drawn: lattice,
        // With many whole points on their circles.
        radius: fc.constantFrom(1, 2, 5, 10, 13, 15, 17),
        nugget: fc.constantFrom(0.1, 0.5),
      });
      await fc.assert(
        fc.asyncProperty(spheres, async ({ drawn, radius, nugget }) => {
          const { places, target, values, parts } = drawn;
          const inside = places
            .map((at, k) => ({
              at,
              value: values[k]!,
              q: (at[0] - target[0]) ** 2 + (at[1] - target[1]) ** 2,
            }))
            .filter(({ q }) => q <= radius ** 2);
          const ask = {
            source: {
              coordinates: places.map((at) => coordinatesOf(drawn, at)),
              values: values.slice(0, places.length),
            },
            target: { coordinates: [coordinatesOf(drawn, target)] },
            neighborhood: { ellipsoid: sphere(radius / parts), max_samples: 30 },
          };
          const [{ results: mean }, { results: estimate }] = (await Promise.all([
            outcomeOf<Estimated>(idw, { ...ask, power: 0 }),
            outcomeOf<Estimated>(kriging, { ...ask, variogram: spherical(nugget, 1, 12 / parts) }),
          ])) as { results: Estimated }[] as [{ results: Estimated }, { results: Estimated }];
          if (inside.length === 0) {
            expect(mean.target.values).toEqual([null]);
            expect(estimate.target.values).toEqual([null]);
            return;
          }
          const hit = inside.find(({ q }) => q === 0);
          const average = inside.reduce((sum, { value }) => sum + value, 0) / inside.length;
          expect(mean.target.values[0]).toBeCloseTo(hit?.value ?? average, 8);
          // The second implementation works in whole numbers, too.
          const expected = ordinaryKriging(
            inside.map(({ at, value }) => ({ at, value })),
            target,
            (h) => nugget + (h < 12 ? 1.5 * (h / 12) - 0.5 * (h / 12) ** 3 : 1),
          );
          expect(estimate.target.values[0]).toBeCloseTo(expected.value, 6);
          expect(estimate.target.variances![0]).toBeCloseTo(expected.variance, 6);
        }),
        effort(400),
      );
    },
  );

  it(
    'do not depend on the order of the samples, nor does a refusal',
    { timeout: TIMEOUT },
    async () => {
      const close = fc.record({
        drawn: lattice,
        apart: fc.constantFrom(1e-3, 1e-5, 1e-7, 1e-8, 1e-9),
        type: fc.constantFrom('spherical', 'exponential', 'gaussian', 'cubic'),
        nugget: fc.constantFrom(0, 0, 1e-6, 0.1),
        turn: fc.integer({ min: 1, max: 20 }),
      });
      await fc.assert(
        fc.asyncProperty(close, async ({ drawn, apart, type, nugget, turn }) => {
          const { places, values, target } = drawn;
          const unit = { parts: 0.2, origin: 0 };
          const coordinates = places.slice(0, 10).map((at) => coordinatesOf(unit, at));
          coordinates.push([coordinates[0]![0]! + apart, coordinates[0]![1]!]);
          const all = coordinates.map((at, i) => ({ at, value: values[i]! / 10 }));
          const ask = (order: typeof all) =>
            outcomeOf<Estimated>(kriging, {
              source: {
                coordinates: order.map(({ at }) => at),
                values: order.map(({ value }) => value),
              },
              target: { coordinates: [coordinatesOf(unit, target).map((x) => x + 1.7)] },
              variogram: {
                nugget,
                structures: [{ variogram_type: type, contribution: 1, anisotropy: sphere(100) }],
              },
              neighborhood: { ellipsoid: sphere(1e6), max_samples: 20 },
            });
          const cut = turn % all.length;
          const orders = [all, [...all.slice(cut), ...all.slice(0, cut)], all.toReversed()];
          const [first, ...others] = await Promise.all(orders.map(ask));
          for (const other of others) {
            if ('slug' in first! || 'slug' in other) {
              expect(other).toMatchObject({ slug: 'slug' in first! ? first.slug : 'none' });
              continue;
            }
            // A pair may carry the difference of its values over its distance: that much rounding.
            const [a, b] = [first!.results.target.values[0]!, other.results.target.values[0]!];
            expect(Math.abs(a - b)).toBeLessThan(1e-4);
          }
        }),
        effort(200),
      );
    },
  );

  it('end in results or in a 422, whatever they are made of', { timeout: TIMEOUT }, async () => {
    const ellipsoids = fc
      .tuple(lengths, lengths, lengths, edgy(-360, 360), edgy(-360, 360))
      .map(([major, semi_major, minor, dip_azimuth, dip]) => ({
        ellipsoid_ranges: { major, semi_major, minor },
        rotation: { dip_azimuth, dip, pitch: 0 },
      }));
    const semivariances = edgy(0, 1e100);
    const structures = fc
      .record({
        variogram_type: fc.constantFrom(
          'spherical',
          'exponential',
          'gaussian',
          'cubic',
          'linear',
          'spheroidal',
          'generalisedcauchy',
        ),
        contribution: semivariances,
        anisotropy: ellipsoids,
      })
      .map((structure) =>
        ['spheroidal', 'generalisedcauchy'].includes(structure.variogram_type)
          ? { ...structure, alpha: 7 }
          : structure,
      );
    const anything = fc.record({
      source: anySource,
      targets: fc.array(fc.array(edgy(-1e12, 1e12), { minLength: 3, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      }),
      nugget: semivariances,
      structures: fc.array(structures, { minLength: 1, maxLength: 3 }),
      ellipsoid: ellipsoids,
      max_samples: fc.integer({ min: 1, max: 12 }),
      power: edgy(0, 10),
      folds: fc.constantFrom({ type: 'leave_one_out' }, { type: 'k_fold', k: 2, seed: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(anything, async (drawn) => {
        const { source, targets, nugget, ellipsoid, max_samples, power, folds } = drawn;
        const dimension = source.coordinates[0]!.length;
        const variogram = { nugget, structures: drawn.structures };
        if (nugget + drawn.structures.reduce((sum, each) => sum + each.contribution, 0) === 0)
          return;
        const neighborhood = { ellipsoid, max_samples };
        const target = { coordinates: targets.map((at) => at.slice(0, dimension)) };
        await outcomeOf(idw, { source, target, neighborhood, power });
        await outcomeOf(kriging, { source, target, variogram, neighborhood });
        await outcomeOf(validation, { source, variogram, neighborhood, folds });
      }),
      effort(1000),
    );
  });
});
