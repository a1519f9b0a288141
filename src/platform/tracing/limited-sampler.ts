import {
  type Attributes,
  type Context,
  type Link,
  SpanKind,
} from '@opentelemetry/api';
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace';

/**
 * Records what another sampler lets through, but begins no more than so much in a second: requests and attempts.
 * What is part of a recorded one is recorded with it, and nothing of one that is not: no span is without what it is
 * part of.
 */
export class LimitedSampler implements Sampler {
  /** What may be begun now; a second's worth at most. */
  private left: number;
  private filledAt = performance.now();

  /**
   * @param sampler decides first
   * @param perSecond 0: nothing is begun
   * @param onLimited called for each that it let through, and that was one too many
   */
  constructor(
    private readonly sampler: Sampler,
    private readonly perSecond: number,
    private readonly onLimited: () => void,
  ) {
    this.left = perSecond;
  }

  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    const result = this.sampler.shouldSample(context, traceId, name, kind, attributes, links);
    if (
      result.decision !== SamplingDecision.RECORD_AND_SAMPLED ||
      kind === SpanKind.INTERNAL ||
      this.take()
    ) {
      return result;
    }
    this.onLimited();
    return { decision: SamplingDecision.NOT_RECORD };
  }

  toString(): string {
    return `${this.sampler.toString()}, ${this.perSecond} a second`;
  }

  private take(): boolean {
    const now = performance.now();
    this.left = Math.min(
      this.perSecond,
      this.left + ((now - this.filledAt) / 1_000) * this.perSecond,
    );
    this.filledAt = now;
    if (this.left < 1) {
      return false;
    }
    this.left -= 1;
    return true;
  }
}
