import { Injectable } from '@nestjs/common';
import { Metrics, QUICK_SECONDS } from '../../platform/metrics/metrics.js';

/** How a claim went. */
export type ClaimResult = 'jobs' | 'empty' | 'contended' | 'failed';

/** What the slots of this process are doing. */
export interface SlotFigures {
  readonly slots: number;
  readonly busy: number;
  /** Claimed ahead of a free slot. */
  readonly ahead: number;
  /** Outcomes that are being written. */
  readonly unwritten: number;
}

/** What this process does as a worker: claims, slots, and leases that it could not keep. */
@Injectable()
export class WorkerMetrics {
  private readonly claims;
  private readonly claimSeconds;
  private readonly stops;

  constructor(private readonly metrics: Metrics) {
    this.claims = metrics.counter({
      name: 'headframe_claims_total',
      help: 'Claims by result: jobs, empty, contended (another worker was claiming), failed.',
      labels: ['result'],
    });
    this.claimSeconds = metrics.histogram(
      {
        name: 'headframe_claim_duration_seconds',
        help: 'How long claims took, with or without jobs.',
      },
      QUICK_SECONDS,
    );
    this.stops = metrics.counter({
      name: 'headframe_worker_stops_total',
      help: 'How often this worker stopped all its jobs because it could not renew its leases in time, or was taken for lost.',
    });
  }

  noteClaim(result: ClaimResult, ms: number): void {
    if (this.metrics.on) {
      this.claims.of(result).add();
      this.claimSeconds.of().observe(ms / 1_000);
    }
  }

  noteStop(): void {
    this.stops.of().add();
  }

  /** From now on the slots are asked what they do. @param renewedMs since when its leases were last renewed */
  watch(read: () => SlotFigures, renewedMs: () => number): void {
    this.metrics.gauge(
      {
        name: 'headframe_slots',
        help: 'Jobs that this process may run at once.',
      },
      () => [[[], read().slots]],
    );
    this.metrics.gauge(
      {
        name: 'headframe_slots_busy',
        help: 'Slots of this process in which a job runs.',
      },
      () => [[[], read().busy]],
    );
    this.metrics.gauge(
      {
        name: 'headframe_jobs_held',
        help: 'Jobs that this process holds beside those that run: ahead of a free slot, or ended and not yet written.',
        labels: ['state'],
      },
      () => {
        const { ahead, unwritten } = read();
        return [
          [['ahead'], ahead],
          [['unwritten'], unwritten],
        ];
      },
    );
    this.metrics.gauge(
      {
        name: 'headframe_lease_renewed_age_seconds',
        help: 'Since when the leases of this worker were last renewed; they end after LEASE_SECONDS.',
      },
      () => [[[], renewedMs() / 1_000]],
    );
  }
}
