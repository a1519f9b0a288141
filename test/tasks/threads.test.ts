import { describe, expect, it } from 'vitest';
import type idwTask from '../../src/tasks/geostatistics/idw/idw.task.js';
import type krigingTask from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { meuseSource, recordingContext, runTask } from './task-run.js';

// The built ones: their helper threads load built modules.
const built = async <T>(name: string): Promise<T> =>
  (
    (await import(
      new URL(`../../dist/tasks/geostatistics/${name}/${name}.task.js`, import.meta.url).href
    )) as { default: T }
  ).default;
const kriging = await built<typeof krigingTask>('kriging');
const idw = await built<typeof idwTask>('idw');

const ball = (radius: number) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});
/** A second or so of one thread: long enough for others to start, and to be sent away again. */
const target = { grid: { origin: [178_600, 329_700], spacing: [9, 13], size: [300, 300] } };
const neighborhood = { ellipsoid: ball(400), max_samples: 40, min_samples: 3 };
const parameters = {
  source: meuseSource,
  target: { ...target, diagnostics: { valid: true, num_samples: true } },
  variogram: {
    nugget: 0.05,
    structures: [
      { variogram_type: 'exponential' as const, contribution: 0.6, anisotropy: ball(900) },
    ],
  },
  neighborhood,
  block_discretisation: { nx: 3, ny: 3, nz: 1 },
};

/** A context that grants threads as the work goes on, and tells how often it was asked. */
function granting(threads: (percent: number) => number, signal?: AbortSignal) {
  const context = recordingContext(signal);
  let asked = 0;
  return {
    ...context,
    get threads() {
      asked++;
      return threads(context.told.at(-1)?.percent ?? 0);
    },
    get asked() {
      return asked;
    },
  };
}

describe('estimates by several threads', () => {
  it('are those of one, whatever the number of threads, and though it changes', async () => {
    const alone = await runTask(
      kriging,
      parameters,
      granting(() => 1),
    );
    expect(alone.summary.estimated).toBeGreaterThan(30_000);
    for (const threads of [() => 2, () => 3, (percent: number) => (percent % 20 < 10 ? 3 : 1)]) {
      const context = granting(threads);
      const { target: together } = await runTask(kriging, parameters, context);
      expect(context.asked).toBeGreaterThan(1);
      expect(together).toEqual(alone.target);
      const told = context.told.map(({ percent }) => percent);
      expect(told.at(-1)).toBe(100);
      expect(told).toEqual(told.toSorted((a, b) => a - b));
    }
  });

  it('by inverse distances, too', async () => {
    const asked = {
      source: meuseSource,
      target,
      neighborhood: { ...neighborhood, max_samples: 100 },
    };
    const alone = await runTask(
      idw,
      asked,
      granting(() => 1),
    );
    expect(
      (
        await runTask(
          idw,
          asked,
          granting(() => 2),
        )
      ).target,
    ).toEqual(alone.target);
  });

  it('stop when the job is canceled', async () => {
    const cancel = new AbortController();
    const context = granting((percent) => {
      if (percent > 20) cancel.abort('canceled');
      return 2;
    }, cancel.signal);
    await expect(runTask(kriging, parameters, context)).rejects.toBe('canceled');
    expect(context.told.at(-1)!.percent).toBeLessThan(100);
  });

  it('name the singular target with the smallest index, whichever thread met it', async () => {
    const singular = {
      ...parameters,
      target: { grid: { origin: [178_600, 329_700], spacing: [9, 13], size: [300, 300] } },
      variogram: {
        nugget: 0,
        structures: [
          { variogram_type: 'gaussian' as const, contribution: 1, anisotropy: ball(3000) },
        ],
      },
    };
    const detail = (threads: number) =>
      runTask(
        kriging,
        singular,
        granting(() => threads),
      ).then(
        () => 'no problem',
        ({ problem }) => String(problem.detail),
      );
    const alone = await detail(1);
    expect(alone).toMatch(/^At target \d+ \(/);
    expect(await detail(3)).toBe(alone);
  });
});
