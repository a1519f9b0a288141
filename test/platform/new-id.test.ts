import { afterEach, describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/platform/ids/new-id.js';
import { UUID } from '../../src/platform/ids/uuid.js';

describe('a new id', () => {
  afterEach(() => vi.useRealTimers());

  it('is a UUID of version 7 that begins with the time', () => {
    const before = Date.now();
    const id = newId();
    expect(id).toMatch(UUID);
    expect(id).toMatch(/^.{14}7.{4}[89ab]/);
    const msecs = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    expect(msecs).toBeGreaterThanOrEqual(before);
    expect(msecs).toBeLessThanOrEqual(Date.now());
  });

  it('sorts after all that were made before it, within a millisecond too, and is like none of them', () => {
    const ids = Array.from({ length: 100_000 }, newId);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('sorts after them when the clock is set back', () => {
    const before = newId();
    vi.useFakeTimers({ now: Date.now() - 3_600_000 });
    const after = Array.from({ length: 1_000 }, newId);
    expect([before, ...after].toSorted()).toEqual([before, ...after]);
  });

  it('cannot be told from the ones before: its last bytes are random', () => {
    const ends = Array.from({ length: 1_000 }, () => newId().slice(-12));
    expect(new Set(ends).size).toBe(1_000);
  });
});
