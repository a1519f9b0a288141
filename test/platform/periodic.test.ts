import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Periodic } from '../../src/platform/periodic.js';

const EVERY_MS = 1_000;

/** Fulfilled from outside. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe('periodic work', () => {
  it('runs one call at a time: a tick that finds one running is passed over', async () => {
    const { opened, open } = gate();
    let calls = 0;
    const loop = new Periodic({ name: 'test', everyMs: EVERY_MS }, async () => {
      calls += 1;
      await opened;
    });
    const ticks = [loop.tick(), loop.tick()];
    await expect.poll(() => calls).toBe(1);
    ticks.push(loop.tick());
    open();
    await Promise.all(ticks);
    expect(calls).toBe(1);
    await loop.tick();
    expect(calls).toBe(2);
  });

  it('goes on after a call that failed', async () => {
    let calls = 0;
    const loop = new Periodic({ name: 'test', everyMs: EVERY_MS }, () => {
      calls += 1;
      throw new Error('once');
    });
    await loop.tick();
    await loop.tick();
    expect(calls).toBe(2);
  });

  it('tells the running call to end when it is stopped, and begins no other', async () => {
    let calls = 0;
    const loop = new Periodic({ name: 'test', everyMs: EVERY_MS }, (signal) => {
      calls += 1;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    });
    const running = loop.tick();
    await expect.poll(() => calls).toBe(1);
    await loop.stop();
    await running;
    await loop.tick();
    expect(calls).toBe(1);
  });

  describe('by a clock of the test', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('tells a call to stop that is over its deadline', async () => {
      const { opened: begun, open: begin } = gate();
      let told = false;
      const loop = new Periodic(
        { name: 'test', everyMs: 1, deadlineMs: 60_000 },
        (signal) =>
          new Promise((resolve) => {
            begin();
            signal.addEventListener('abort', () => {
              told = true;
              resolve();
            });
          }),
      );
      const running = loop.tick();
      await begun;
      vi.advanceTimersByTime(59_999);
      expect(told).toBe(false);
      vi.advanceTimersByTime(1);
      await running;
      expect(told).toBe(true);
    });
  });
});
