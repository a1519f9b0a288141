import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LimitedSampler } from '../../src/platform/tracing/limited-sampler.js';

describe('the sampler of traces', () => {
  let limited = 0;
  beforeEach(() => {
    limited = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  const samplerOf = (perSecond: number, inner = new AlwaysOnSampler()) =>
    new LimitedSampler(inner, perSecond, () => (limited += 1));

  /** How many of so many are recorded. */
  const recorded = (sampler: LimitedSampler, count: number, kind: SpanKind) =>
    Array.from({ length: count }, () =>
      sampler.shouldSample(ROOT_CONTEXT, '1'.repeat(32), 'name', kind, {}, []),
    ).filter(({ decision }) => decision === SamplingDecision.RECORD_AND_SAMPLED).length;

  it('lets a second’s worth begin at once, then as many as come to each moment', () => {
    const sampler = samplerOf(10);
    expect(recorded(sampler, 25, SpanKind.SERVER)).toBe(10);
    vi.advanceTimersByTime(350);
    expect(recorded(sampler, 25, SpanKind.CONSUMER)).toBe(3);
    // An hour of rest is worth no more than a second.
    vi.advanceTimersByTime(3_600_000);
    expect(recorded(sampler, 25, SpanKind.SERVER)).toBe(10);
    expect(limited).toBe(15 + 22 + 15);
  });

  it('counts no part of what is recorded, and nothing that would not have been', () => {
    const sampler = samplerOf(2);
    expect(recorded(sampler, 100, SpanKind.INTERNAL)).toBe(100);
    expect(recorded(sampler, 5, SpanKind.SERVER)).toBe(2);
    expect(recorded(samplerOf(2, new AlwaysOffSampler()), 5, SpanKind.SERVER)).toBe(0);
    expect(limited).toBe(3);
  });

  it('records nothing where nothing is to be', () => {
    expect(recorded(samplerOf(0), 5, SpanKind.SERVER)).toBe(0);
  });
});
