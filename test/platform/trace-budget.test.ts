import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TraceBudget } from '../../src/platform/tracing/trace-budget.js';

describe('the budget of traces', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const taken = (budget: TraceBudget, count: number) =>
    Array.from({ length: count }, () => budget.take()).filter(Boolean).length;

  it('has a second’s worth at once, then as many as come to each moment', () => {
    const budget = new TraceBudget(10);
    expect(taken(budget, 25)).toBe(10);
    vi.advanceTimersByTime(350);
    expect(taken(budget, 25)).toBe(3);
    // An hour of rest is worth no more than a second.
    vi.advanceTimersByTime(3_600_000);
    expect(taken(budget, 25)).toBe(10);
  });

  it('of nothing has nothing', () => {
    const budget = new TraceBudget(0);
    vi.advanceTimersByTime(10_000);
    expect(taken(budget, 5)).toBe(0);
  });
});
