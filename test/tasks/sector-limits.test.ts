import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoordinateTolerance } from '../../src/tasks/geostatistics/coordinate-tolerance.js';
import idw from '../../src/tasks/geostatistics/idw/idw.task.js';
import { NeighborSearch } from '../../src/tasks/geostatistics/neighbors/search/neighbor-search.js';
import { SampleSet } from '../../src/tasks/geostatistics/samples/sample-set.js';
import { mistakes, runTask } from './task-run.js';

const flat = { dip_azimuth: 0, dip: 0, pitch: 0 };
const ball = (radius: number, rotation = flat) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
  rotation,
});

interface Limits {
  max_empty_octants?: number | null;
  max_samples_per_octant?: number | null;
  max_empty_quadrants?: number | null;
  max_samples_per_quadrant?: number | null;
}

function search(places: number[][], radius: number, max_samples: number, limits: Limits) {
  const samples = new SampleSet({ coordinates: places, values: places.map(() => 0) });
  const neighborhood = { ellipsoid: ball(radius), max_samples, min_samples: 1, ...limits };
  const found = new NeighborSearch(
    samples,
    neighborhood,
    new CoordinateTolerance(samples.magnitudes),
  );
  return (x: number, y: number, z: number) =>
    [...found.found.subarray(0, found.around(x, y, z))]
      .map((sample) => [samples.x[sample]!, samples.y[sample]!, samples.z[sample]!].join())
      .toSorted((a, b) => (a < b ? -1 : 1));
}

/** The rules in their own words: the nearest first, as long as there is room in its octant and quadrant. */
function naive(
  places: number[][],
  [x, y, z]: number[],
  radius: number,
  most: number,
  limits: Limits,
) {
  const inside = places
    .map((place) => ({ place, far: Math.hypot(place[0]! - x!, place[1]! - y!, place[2]! - z!) }))
    .filter(({ far }) => far <= radius)
    .toSorted(
      (a, b) =>
        a.far - b.far ||
        a.place[0]! - b.place[0]! ||
        a.place[1]! - b.place[1]! ||
        a.place[2]! - b.place[2]!,
    );
  const quadrant = ([a, b]: number[]) => `${a! < x!} ${b! < y!}`;
  const octant = (place: number[]) => `${quadrant(place)} ${place[2]! < z!}`;
  const octants = new Set(inside.map(({ place }) => octant(place))).size;
  const quadrants = new Set(inside.map(({ place }) => quadrant(place))).size;
  if (8 - octants > (limits.max_empty_octants ?? 8)) return [];
  if (4 - quadrants > (limits.max_empty_quadrants ?? 4)) return [];
  const taken: number[][] = [];
  for (const { place } of inside) {
    const same = (of: (place: number[]) => string) =>
      taken.filter((other) => of(other) === of(place)).length;
    if (taken.length === most) break;
    if (same(octant) >= (limits.max_samples_per_octant ?? Infinity)) continue;
    if (same(quadrant) >= (limits.max_samples_per_quadrant ?? Infinity)) continue;
    taken.push(place);
  }
  return taken.map((place) => place.join()).toSorted((a, b) => (a < b ? -1 : 1));
}

describe('limits by octant and quadrant', () => {
  it('take what going through all samples by the rules takes', () => {
    const whole = fc.integer({ min: -9, max: 9 });
    const maybe = (most: number, min: number) => fc.option(fc.integer({ min, max: most }));
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(whole, whole, whole), {
          minLength: 1,
          maxLength: 80,
          selector: String,
        }),
        fc.array(fc.tuple(whole, whole, whole), { minLength: 1, maxLength: 6 }),
        fc.record({
          max_empty_octants: maybe(8, 0),
          max_samples_per_octant: maybe(4, 1),
          max_empty_quadrants: maybe(4, 0),
          max_samples_per_quadrant: maybe(6, 1),
        }),
        fc.constantFrom(4, 9, 100),
        fc.integer({ min: 1, max: 20 }),
        (places, points, limits, radius, most) => {
          const around = search(places, radius, most, limits);
          for (const [x, y, z] of points) {
            expect(around(x, y, z)).toEqual(naive(places, [x, y, z], radius, most, limits));
          }
        },
      ),
      { numRuns: 600, seed: 20_261_126 },
    );
  });

  it('go by the axes of the ellipsoid, and put a sample on an axis to its positive side', async () => {
    // A cluster to the east, and single samples north, west and south.
    const coordinates = [
      [1, 0.1],
      [1.1, 0.2],
      [1.2, 0.1],
      [-0.5, 3],
      [-3, -0.5],
      [0.5, -3],
    ];
    const estimate = async (rotation: typeof flat, limits: Limits) =>
      (
        await runTask(idw, {
          source: { coordinates, values: [8, 8, 8, 0, 0, 0] },
          target: { coordinates: [[0, 0]] },
          power: 0,
          neighborhood: { ellipsoid: ball(10, rotation), max_samples: 6, ...limits },
        })
      ).target.values[0];
    expect(await estimate(flat, {})).toBe(4);
    expect(await estimate(flat, { max_samples_per_quadrant: 1 })).toBe(2);
    expect(await estimate(flat, { max_samples_per_octant: 1 })).toBe(2);
    expect(await estimate(flat, { max_empty_quadrants: 0 })).toBe(4);
    expect(await estimate(flat, { max_empty_octants: 3 })).toBeNull();
    expect(await estimate(flat, { max_empty_octants: 4 })).toBe(4);
    // At 30 and 60 degrees: one quadrant, unless an axis lies between them.
    const pair = async (rotation: typeof flat) =>
      (
        await runTask(idw, {
          source: {
            coordinates: [
              [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)],
              [1.1 * Math.cos(Math.PI / 3), 1.1 * Math.sin(Math.PI / 3)],
            ],
            values: [8, 0],
          },
          target: { coordinates: [[0, 0]] },
          power: 0,
          neighborhood: {
            ellipsoid: ball(10, rotation),
            max_samples: 6,
            max_samples_per_quadrant: 1,
          },
        })
      ).target.values[0];
    expect(await pair(flat)).toBe(8);
    expect(await pair({ ...flat, dip_azimuth: 45 })).toBe(4);
  });

  it('are refused out of their bounds, with their place', () => {
    const parameters = (limits: object) => ({
      source: { coordinates: [[0, 0]], values: [1] },
      target: { coordinates: [[1, 1]] },
      neighborhood: { ellipsoid: ball(10), max_samples: 3, ...limits },
    });
    for (const limits of [
      { max_empty_octants: 9 },
      { max_empty_octants: -1 },
      { max_samples_per_octant: 0 },
      { max_empty_quadrants: 5 },
      { max_samples_per_quadrant: 1.5 },
    ]) {
      expect(mistakes(idw, parameters(limits))).toEqual([
        expect.stringContaining(`neighborhood.${Object.keys(limits)[0]}`),
      ]);
    }
    expect(
      mistakes(idw, parameters({ max_empty_octants: null, max_samples_per_octant: null })),
    ).toEqual([]);
  });
});
