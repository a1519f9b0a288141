import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runManifest } from '../support/process-tasks.js';

const FOLDER = fileURLToPath(new URL('../../examples/tasks/drillholes/desurvey', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;

interface Hole {
  readonly depths: number[];
  readonly coordinates: [number, number, number][];
  readonly largest_dogleg: number;
}

const station = (depth: number, dip: number, azimuth: number) => ({ depth, dip, azimuth });

function desurvey(stations: object[], step?: number): Hole {
  const { results } = runManifest(FOLDER, {
    holes: [{ id: 'H', collar: [1000, 2000, 300], stations }],
    ...(step !== undefined && { step }),
  });
  return (results as { holes: Hole[] }).holes[0] as Hole;
}

describe.skipIf(!hasPython)('the desurvey example', () => {
  it('follows a straight hole along its direction', () => {
    const hole = desurvey([station(0, -60, 90), station(100, -60, 90)]);
    expect(hole.depths).toEqual([0, 100]);
    const [east, north, up] = hole.coordinates[1]!;
    expect(east).toBeCloseTo(1050, 5);
    expect(north).toBeCloseTo(2000, 5);
    expect(up).toBeCloseTo(300 - 100 * Math.sin(Math.PI / 3), 5);
    expect(hole.largest_dogleg).toBe(0);
  });

  it('is exact on a circle, whose points between stations lie on it', () => {
    const radius = 100;
    const length = (Math.PI / 2) * radius;
    const hole = desurvey([station(0, -90, 0), station(length, 0, 45)], length / 9);
    expect(hole.depths).toHaveLength(10);
    const centre = [1000 + radius * Math.SQRT1_2, 2000 + radius * Math.SQRT1_2, 300];
    for (const point of hole.coordinates) {
      expect(Math.hypot(...point.map((c, i) => c - centre[i]!))).toBeCloseTo(radius, 4);
    }
    const last = hole.coordinates.at(-1)!;
    expect(last[0]).toBeCloseTo(centre[0]!, 4);
    expect(last[1]).toBeCloseTo(centre[1]!, 4);
    expect(last[2]).toBeCloseTo(200, 4);
    expect(hole.largest_dogleg).toBeCloseTo((90 * 30) / length, 5);
  });

  it('is straight before the first station, and begins at the collar', () => {
    const hole = desurvey([station(20, -90, 0), station(50, -90, 0)]);
    expect(hole.depths).toEqual([0, 20, 50]);
    expect(hole.coordinates.map(([, , up]) => up)).toEqual([300, 280, 250]);
  });

  it.each([
    ['are not sorted', [station(10, -90, 0), station(10, -80, 0)], /station 1 .* is not below/],
    ['turn back', [station(0, -90, 0), station(10, 90, 0)], /turns back on itself/],
  ])('refuses stations that %s, and says which', (_what, stations, detail) => {
    const { problem } = runManifest(FOLDER, {
      holes: [{ id: 'H', collar: [0, 0, 0], stations }],
    });
    expect(problem).toMatchObject({
      status: 422,
      slug: 'impossible-survey',
      detail: expect.stringMatching(detail),
    });
  });
});
