import { Injectable } from '@nestjs/common';
import type { ClaimedJob } from '../../../jobs/lease/lease.store.js';
import { type OpenSpan, Tracing } from '../../../platform/tracing/tracing.js';
import { isRecorded, unrecorded } from '../../../platform/tracing/traceparent.js';
import type { AttemptTrace } from '../attempt.js';
import { preciseNow, type RecordedSpan } from './span-recorder.js';

/** The trace of one attempt, from its begin until its outcome is stored. */
export interface RunningTrace extends AttemptTrace {
  /** The attempt has ended; from here on its outcome is stored. @returns what is called when it is */
  store(outcome: string): () => void;
}

/** Of a trace that nobody records: it only goes on through the attempt. */
class UnrecordedTrace implements RunningTrace {
  readonly record = null;

  constructor(readonly traceparent: string) {}

  store(): () => void {
    return () => undefined;
  }
}

class RecordedTrace implements RunningTrace {
  private readonly recorded: RecordedSpan[] = [];

  constructor(
    private readonly tracing: Tracing,
    private readonly attempt: OpenSpan,
  ) {}

  get traceparent(): string {
    return this.attempt.traceparent;
  }

  readonly record = (span: RecordedSpan): void => {
    this.recorded.push(span);
  };

  store(outcome: string): () => void {
    this.tellRecorded();
    const storing = this.tracing.start('store outcome', { parent: this.traceparent });
    return () => {
      storing.end();
      this.attempt.set({ 'headframe.attempt.outcome': outcome });
      this.attempt.end(outcome === 'failed' ? 'the attempt failed' : null);
    };
  }

  /** Now that all have ended, those that others are part of first. */
  private tellRecorded(): void {
    const places = new Map<number | null, string>([[null, this.traceparent]]);
    for (const { id, parent, name, startedAt, endedAt, failed } of this.recorded.toSorted(
      (one, other) => one.id - other.id,
    )) {
      const span = this.tracing.start(name, {
        parent: places.get(parent) ?? this.traceparent,
        startedAt,
      });
      places.set(id, span.traceparent);
      span.end(failed, endedAt);
    }
  }
}

/** Traces attempts at jobs as parts of the traces in which these were submitted. */
@Injectable()
export class AttemptTraces {
  constructor(private readonly tracing: Tracing) {}

  get on(): boolean {
    return this.tracing.on;
  }

  /**
   * An attempt begins. It is part of the trace of the submit, and linked to it: it happens later, and
   * elsewhere. The first also tells how long the job had waited.
   * @returns null when nobody traces, or nobody traced the submit
   */
  begin(job: ClaimedJob): RunningTrace | null {
    const { traceparent: submitted, topic, task, attempt } = job;
    if (!this.tracing.on || submitted === null) {
      return null;
    }
    if (!isRecorded(submitted)) {
      return new UnrecordedTrace(submitted);
    }
    if (!this.tracing.mayRecord()) {
      return new UnrecordedTrace(unrecorded(submitted));
    }
    const attributes = {
      'headframe.job.id': job.jobId,
      'headframe.organization.id': job.orgId,
      'headframe.topic': topic,
      'headframe.task': task,
      'headframe.attempt': attempt,
    };
    const now = preciseNow();
    const span = this.tracing.start(`attempt ${topic}/${task}`, {
      parent: submitted,
      kind: 'consumer',
      links: [submitted],
      startedAt: now,
      attributes,
    });
    if (attempt === 1) {
      const startedAt = now - job.waitedMs;
      this.tracing.start('wait', { parent: submitted, startedAt, attributes }).end(null, now);
    }
    return new RecordedTrace(this.tracing, span);
  }
}
