import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worldToLocal } from '../../src/tasks/geostatistics/neighbors/ellipsoid-space.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { largestDifference, runTask } from './task-run.js';

const flat = { dip_azimuth: 0, dip: 0, pitch: 0 };
const ellipsoid = (major: number, semi_major = major, rotation = flat) => ({
  ellipsoid_ranges: { major, semi_major, minor: semi_major },
  rotation,
});

/** Samples that are apart, and the parts of a job around them, in a unit of length. */
const inputs = fc.record({
  seed: fc.integer(),
  dimension: fc.constantFrom(2, 3),
  samples: fc.integer({ min: 2, max: 60 }),
  most: fc.integer({ min: 1, max: 24 }),
  type: fc.constantFrom('spherical', 'exponential', 'cubic', 'linear', 'generalisedcauchy'),
  nugget: fc.constantFrom(0, 0.1),
  flattened: fc.constantFrom(1, 3),
  isBlock: fc.boolean(),
  isSimple: fc.boolean(),
});
type Input = typeof inputs extends fc.Arbitrary<infer T> ? T : never;

function placed({ seed, dimension, samples }: Input) {
  const numbers = fc.sample(fc.integer({ min: 0, max: 999 }), { seed, numRuns: 5 * samples });
  const next = () => numbers.pop() ?? 0;
  const places = new Map<string, number[]>();
  for (let i = 0; i < samples; i++) {
    // No two within a hundredth of the side: near ones are refused, or cost digits.
    const place = Array.from({ length: dimension }, () => Math.floor(next() / 50) + 0.37);
    places.set(place.join(), place);
  }
  const coordinates = [...places.values()];
  return { coordinates, values: coordinates.map((place, i) => place[0]! / 7 + (i % 5)) };
}

function job(input: Input, unit = 1, rotation = flat) {
  const { most, type, nugget, flattened, isSimple } = input;
  const isLinear = type === 'linear';
  return {
    variogram: {
      nugget,
      structures: [
        {
          variogram_type: type,
          contribution: 1,
          ...(type === 'generalisedcauchy' && { alpha: 3 as const }),
          anisotropy: ellipsoid(14 * unit, (14 * unit) / flattened, rotation),
        },
      ],
    },
    neighborhood: {
      ellipsoid: ellipsoid(18 * unit, (18 * unit) / flattened, rotation),
      max_samples: most,
    },
    kriging_method:
      isSimple && !isLinear
        ? ({ type: 'simple', mean: 2 } as const)
        : ({ type: 'ordinary' } as const),
  };
}

const blocksOf = ({ isBlock, dimension }: Input) =>
  isBlock ? { block_discretisation: { nx: 2, ny: 2, nz: dimension === 3 ? 2 : 1 } } : {};

const gridOf = ({ dimension }: Input) => ({
  origin: Array.from({ length: dimension }, () => 3),
  spacing: Array.from({ length: dimension }, () => 0.25),
  size: [20, 6, 4].slice(0, dimension),
});

describe('estimates of points that share their neighbours', () => {
  it('are, to the last bit, those of each point alone', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const source = placed(input);
        const grid = gridOf(input);
        const parameters = { ...job(input), ...blocksOf(input), source };
        const together = await runTask(kriging, { ...parameters, target: { grid } });
        for (const cell of [0, 7, 19, 20, 61, 119]) {
          const attributes = { asked: together.target.values.map((_, i) => (i === cell ? 1 : 0)) };
          const where = {
            type: 'condition' as const,
            attribute: 'asked',
            operator: 'equal' as const,
            threshold: 1,
          };
          const alone = await runTask(kriging, {
            ...parameters,
            target: { grid, attributes, filter: { where } },
          });
          expect(alone.target.values[cell]).toBe(together.target.values[cell]);
          expect(alone.target.variances[cell]).toBe(together.target.variances[cell]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are the same in whatever order the points are asked for', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.integer(), async (input, seed) => {
        const parameters = job(input);
        const source = placed(input);
        const coordinates = Array.from({ length: 80 }, (_none, i) =>
          [3 + (i % 16) / 3, 4 + Math.floor(i / 16) / 5, 5].slice(0, input.dimension),
        );
        const order = fc.sample(
          fc.shuffledSubarray([...coordinates.keys()], { minLength: coordinates.length }),
          { seed, numRuns: 1 },
        )[0]!;
        const listed = await runTask(kriging, { ...parameters, source, target: { coordinates } });
        const shuffled = await runTask(kriging, {
          ...parameters,
          source,
          target: { coordinates: order.map((i) => coordinates[i]!) },
        });
        expect(shuffled.target.values).toEqual(order.map((i) => listed.target.values[i]));
        expect(shuffled.target.variances).toEqual(order.map((i) => listed.target.variances[i]));
      }),
      { numRuns: 60 },
    );
  });

  it('are the same when all is moved, turned, and given in another unit', async () => {
    await fc.assert(
      fc.asyncProperty(
        inputs,
        fc.constantFrom(1e-3, 1, 3, 1000),
        fc.constantFrom(0, 30, 200),
        async (input, unit, degrees) => {
          const parameters = job(input);
          const movedParameters = job(input, unit, { dip_azimuth: degrees, dip: 0, pitch: 0 });
          const m = worldToLocal({ dip_azimuth: degrees, dip: 0, pitch: 0 });
          // The transpose of world → local turns what lay along the axes into the directions of the ellipsoids.
          const moved = ([x, y, z = 0]: number[]) =>
            [
              (m[0] * x! + m[3] * y! + m[6] * z + 40) * unit,
              (m[1] * x! + m[4] * y! + m[7] * z - 70) * unit,
              (m[2] * x! + m[5] * y! + m[8] * z + 5) * unit,
            ].slice(0, input.dimension);
          const { coordinates, values } = placed(input);
          // Nowhere as far from one sample as from another, whose order turning would change.
          const points = Array.from({ length: 40 }, (_none, i) =>
            [3.11731 + (i % 8) / Math.E, 4.13579 + Math.floor(i / 8) / Math.PI / 2, 5.17923].slice(
              0,
              input.dimension,
            ),
          );
          const here = await runTask(kriging, {
            ...parameters,
            source: { coordinates, values },
            target: { coordinates: points },
          });
          const there = await runTask(kriging, {
            ...movedParameters,
            source: { coordinates: coordinates.map(moved), values },
            target: { coordinates: points.map(moved) },
          });
          const others = here.target.values.filter((value, i) => {
            const difference = largestDifference([value], [there.target.values[i]!]);
            return !(difference < 1e-6);
          });
          expect(others).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});
