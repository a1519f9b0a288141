import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../src/compute/worker/fair-queue.js';

describe('what waits for a slot', () => {
  it('takes turns between organizations, and keeps the order of each', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) {
      queue.push(item.slice(0, 1), item);
    }
    expect(queue.size).toBe(6);
    const taken = [queue.shift(), queue.shift()];
    queue.push('b', 'b2');
    while (queue.size > 0) {
      taken.push(queue.shift());
    }
    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3']);
    expect(queue.shift()).toBeUndefined();
  });

  it('lets go of one that is stopped', () => {
    const queue = new FairQueue<string>();
    ['a1', 'a2'].forEach((item) => queue.push('a', item));
    expect(queue.remove('a', 'a1')).toBe(true);
    expect(queue.remove('a', 'a1')).toBe(false);
    expect(queue.remove('b', 'a2')).toBe(false);
    expect([...queue]).toEqual(['a2']);
    expect(queue.shift()).toBe('a2');
    expect(queue.size).toBe(0);
  });
});
