import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoordinateTolerance } from '../../src/tasks/geostatistics/coordinate-tolerance.js';
import { worldToLocal } from '../../src/tasks/geostatistics/neighbors/ellipsoid-space.js';
import { NeighborSearch } from '../../src/tasks/geostatistics/neighbors/search/neighbor-search.js';
import { SampleSet } from '../../src/tasks/geostatistics/samples/sample-set.js';

const flat = { dip_azimuth: 0, dip: 0, pitch: 0 };
const ball = (radius: number) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
  rotation: flat,
});

function search(
  coordinates: number[][],
  ellipsoid: ReturnType<typeof ball>,
  max_samples: number,
  min_samples = 1,
) {
  const samples = new SampleSet({ coordinates, values: coordinates.map(() => 0) });
  const tolerance = new CoordinateTolerance(samples.magnitudes);
  const found = new NeighborSearch(samples, { ellipsoid, max_samples, min_samples }, tolerance);
  return { found, samples };
}

/** The neighbours as they were listed. */
function around({ found, samples }: ReturnType<typeof search>, x: number, y: number, z = 0) {
  const neighbors = found.found.subarray(0, found.around(x, y, z));
  return [...neighbors].map((sample) => samples.listed[sample]!).toSorted((a, b) => a - b);
}

describe('the neighbour search', () => {
  const whole = fc.integer({ min: -20, max: 20 });
  const angle = fc.constantFrom(-90, 0, 30, 45, 90, 200);
  const range = fc.constantFrom(3, 7, 12, 40, 1000);

  it('finds what looking at every sample finds, in any ellipsoid and any order of points', () => {
    const inputs = fc.record({
      samples: fc.array(fc.tuple(whole, whole, whole), { minLength: 1, maxLength: 60 }),
      points: fc.array(fc.tuple(whole, whole, whole), { minLength: 1, maxLength: 10 }),
      ranges: fc.tuple(range, range, range),
      angles: fc.tuple(angle, angle, angle),
      most: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(
        inputs,
        ({ samples, points, ranges: [major, semi_major, minor], angles, most }) => {
          const [dip_azimuth, dip, pitch] = angles;
          const ellipsoid = {
            ellipsoid_ranges: { major, semi_major, minor },
            rotation: { dip_azimuth, dip, pitch },
          };
          const m = worldToLocal(ellipsoid.rotation);
          const found = search(samples, ellipsoid, most);
          for (const [x, y, z] of points) {
            const distance = samples.map(([a, b, c]) => {
              const [dx, dy, dz] = [a - x, b - y, c - z];
              return Math.hypot(
                (m[0] * dx + m[1] * dy + m[2] * dz) / major,
                (m[3] * dx + m[4] * dy + m[5] * dz) / semi_major,
                (m[6] * dx + m[7] * dy + m[8] * dz) / minor,
              );
            });
            const answer = around(found, x, y, z);
            const inside = distance.filter((d) => d < 1 - 1e-9).length;
            const inOrOn = distance.filter((d) => d < 1 + 1e-9).length;
            expect(answer.length).toBeGreaterThanOrEqual(Math.min(most, inside));
            expect(answer.length).toBeLessThanOrEqual(Math.min(most, inOrOn));
            const furthest = Math.max(0, ...answer.map((i) => distance[i]!));
            const rest = distance.filter((_, i) => !answer.includes(i));
            if (answer.length === most)
              for (const d of rest) expect(d).toBeGreaterThan(furthest - 1e-9);
            expect(answer).toEqual(answer.toSorted((a, b) => a - b));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes samples on the surface of the ellipsoid and none outside', () => {
    const found = search(
      [
        [5, 0],
        [0, -5],
        [3, 4],
        [5, 0.001],
      ],
      ball(5),
      10,
    );
    expect(around(found, 0, 0)).toEqual([0, 1, 2]);
  });

  it('takes the smaller x, then y, then z of equally distant samples, however they are listed', () => {
    const places = [
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
    ];
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const listed = order.map((i) => places[i]!);
      const found = around(search(listed, ball(5), 2), 0, 0).map((i) => listed[i]);
      expect(found).toEqual(expect.arrayContaining([places[2], places[3]]));
    }
  });

  it('finds nothing rather than fewer than min_samples', () => {
    const found = search(
      [
        [1, 0],
        [0, 1],
        [50, 0],
      ],
      ball(5),
      10,
      3,
    );
    expect(around(found, 0, 0)).toEqual([]);
  });

  it('finds the same after points far away', () => {
    const line = Array.from({ length: 2000 }, (_, i) => [i, 0, 0]);
    const found = search(line, ball(1e9), 3);
    expect(around(found, 1000, 0)).toEqual([999, 1000, 1001]);
    expect(around(found, 1e8, 0)).toEqual([1997, 1998, 1999]);
    expect(around(found, 500.2, 0)).toEqual([499, 500, 501]);
  });

  it('finds samples of one vertical hole, and many at one place', () => {
    const hole = Array.from({ length: 500 }, (_, i) => [10, 20, -i]);
    expect(around(search(hole, ball(100), 3), 11, 20, -250.1)).toEqual([249, 250, 251]);
    const pile = Array.from({ length: 500 }, () => [10, 20, 30]);
    expect(around(search(pile, ball(100), 2), 10, 20, 30)).toEqual([0, 1]);
  });
});

describe('the rotation of an ellipsoid', () => {
  // world = Rz(dip_azimuth) · Rx(dip) · Rz(pitch) · local, multiplied out here step by step.
  const turn = (degrees: number) =>
    [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)] as const;
  const rz = ([x, y, z]: number[], [c, s]: readonly [number, number]) => [
    c * x! + s * y!,
    -s * x! + c * y!,
    z!,
  ];
  const rx = ([x, y, z]: number[], [c, s]: readonly [number, number]) => [
    x!,
    c * y! + s * z!,
    -s * y! + c * z!,
  ];

  it('takes every world vector back to the local one it came from', () => {
    const number = fc.double({ min: -100, max: 100, noNaN: true });
    const degrees = fc.oneof(
      fc.constantFrom(-360, -90, 0, 90, 180, 270),
      fc.double({ min: -360, max: 360, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.tuple(number, number, number),
        degrees,
        degrees,
        degrees,
        (local, dip_azimuth, dip, pitch) => {
          const world = rz(rx(rz(local, turn(pitch)), turn(dip)), turn(dip_azimuth));
          const m = worldToLocal({ dip_azimuth, dip, pitch });
          for (let row = 0; row < 3; row++) {
            const back =
              m[3 * row]! * world[0]! + m[3 * row + 1]! * world[1]! + m[3 * row + 2]! * world[2]!;
            expect(back).toBeCloseTo(local[row]!, 9);
          }
        },
      ),
    );
  });

  it('turns the major axis clockwise from east: by 90 degrees it points south', () => {
    const m = worldToLocal({ dip_azimuth: 90, dip: 0, pitch: 0 });
    expect([m[0], m[1], m[2]].map((c) => c + 0)).toEqual([0, -1, 0]);
  });
});

describe('what was looked for before', () => {
  it('changes nothing, however near it was, in what is found', () => {
    const inputs = fc.record({
      seed: fc.integer(),
      samples: fc.integer({ min: 1, max: 400 }),
      most: fc.integer({ min: 1, max: 12 }),
      radius: fc.constantFrom(3, 12, 1000),
      flattened: fc.constantFrom(1, 5),
      step: fc.constantFrom(0.01, 0.1, 1, 20),
      // Samples on whole numbers are often equally far.
      isGrid: fc.boolean(),
    });
    fc.assert(
      fc.property(inputs, ({ seed, samples, most, radius, flattened, step, isGrid }) => {
        const numbers = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), {
          seed,
          numRuns: 2 * samples + 60,
        });
        const next = () => numbers.pop() ?? 0.5;
        const coordinates = Array.from({ length: samples }, () =>
          [20 * next(), 20 * next()].map((axis) => (isGrid ? Math.round(axis) : axis)),
        );
        // As large as the points, which no tolerance may be too small for.
        coordinates.push([-30, 30]);
        const ellipsoid = {
          ellipsoid_ranges: { major: radius, semi_major: radius / flattened, minor: radius },
          rotation: { dip_azimuth: 30, dip: 0, pitch: 0 },
        };
        const walked = search(coordinates, ellipsoid, most);
        let [x, y] = [10, 10];
        for (let i = 0; i < 30; i++) {
          [x, y] = [x + step * (next() - 0.5), y + step * (next() - 0.5)];
          const fresh = search(coordinates, ellipsoid, most);
          expect(around(walked, x, y)).toEqual(around(fresh, x, y));
          const furthest = (searched: typeof fresh) => searched.found.equallyFar(0, x, y, 0);
          expect(furthest(walked)).toBe(furthest(fresh));
        }
      }),
      { numRuns: 200 },
    );
  });
});
