import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { OrganizationMetrics } from './organization-metrics.js';
import {
  MAX_READ,
  type QueueFigures,
  QueueFiguresStore,
  type StateCount,
} from './queue-figures.store.js';

/** What was read is believed for so long, whoever asks and however often. */
const BELIEVED_MS = 5_000;
/** What was read this long ago is no figure any more: it is left out, which an alert can see. */
const STALE_MS = 60_000;

type Labeled = readonly [values: readonly string[], value: number];

/**
 * How much there is to do, over all replicas: every one of them tells the same, so take the largest, never the
 * sum. Read when a scraper asks, and not again for five seconds.
 */
@Injectable()
export class QueueMetrics {
  private figures: QueueFigures | null = null;
  private readAt = Number.NEGATIVE_INFINITY;
  private askedAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | null = null;

  constructor(
    metrics: Metrics,
    private readonly store: QueueFiguresStore,
    private readonly organizations: OrganizationMetrics,
    @Inject(CONFIG) private readonly config: Pick<Config, 'LEASE_SECONDS'>,
  ) {
    metrics.refreshes.push(() => this.refresh());
    metrics.gauge(
      {
        name: 'headframe_jobs',
        help: `Jobs of all replicas that have not ended: waiting for a worker, delayed (to a time, or between attempts), running. Counted up to ${MAX_READ} of each state; of more waiting ones the database's statistics tell how many, and tasks share them as among those counted. Each replica tells the same.`,
        labels: ['topic', 'task', 'state'],
      },
      () => this.byTask(),
    );
    metrics.gauge(
      {
        name: 'headframe_oldest_waiting_seconds',
        help: 'Since the oldest job was submitted that waits for nothing but a worker; 0: none does. One that its client had delayed counts from its submission.',
      },
      () => this.told((figures) => [[[], figures.oldestWaitingSeconds ?? 0]]),
    );
    metrics.gauge(
      {
        name: 'headframe_workers',
        help: 'Workers that beat in time, by state (running, draining). Each replica tells the same.',
        labels: ['state'],
      },
      () =>
        this.told(({ workers }) => [
          [['running'], workers.running],
          [['draining'], workers.draining],
        ]),
    );
    metrics.gauge(
      {
        name: 'headframe_queue_figures_age_seconds',
        help: 'How old headframe_jobs, headframe_oldest_waiting_seconds and headframe_workers are; after 60 they are left out. Missing before they were first read.',
      },
      () => (this.figures === null ? [] : [[[], (performance.now() - this.readAt) / 1_000]]),
    );
    metrics.gauge(
      {
        name: 'headframe_organization_jobs',
        help: 'As headframe_jobs, by organization; only with METRICS_BY_ORGANIZATION.',
        labels: ['organization', 'state'],
      },
      () => this.byOrganization(),
    );
  }

  /** @throws what the statement fails with */
  private async refresh(): Promise<void> {
    // Not before the time is over either when it failed: a database in trouble is not asked more often.
    if (performance.now() - this.askedAt >= BELIEVED_MS) {
      this.askedAt = performance.now();
      this.reading ??= this.read().finally(() => {
        this.reading = null;
      });
    }
    await this.reading;
  }

  private async read(): Promise<void> {
    const asked = performance.now();
    this.figures = await this.store.read(this.config.LEASE_SECONDS);
    this.readAt = asked;
  }

  private told(tell: (figures: QueueFigures) => readonly Labeled[]): readonly Labeled[] {
    return this.figures === null || performance.now() - this.readAt > STALE_MS
      ? []
      : tell(this.figures);
  }

  private byTask(): readonly Labeled[] {
    return this.told((figures) => {
      const scale = scaleOf(figures);
      return summed(figures.counts, ({ topic, task, state, jobs }) => [
        [topic, task, state],
        jobs * scale[state],
      ]);
    });
  }

  private byOrganization(): readonly Labeled[] {
    return !this.organizations.on
      ? []
      : this.told((figures) => {
          const scale = scaleOf(figures);
          return summed(figures.counts, ({ orgId, state, jobs }) => [
            [this.organizations.labelOf(orgId), state],
            jobs * scale[state],
          ]);
        });
  }
}

/** By what the counted ones of each state stand for all: 1 unless there are more waiting than were counted. */
function scaleOf({ counts, entries }: QueueFigures): Readonly<Record<StateCount['state'], number>> {
  const counted = (state: StateCount['state']): number =>
    counts.reduce((sum, each) => sum + (each.state === state ? each.jobs : 0), 0);
  const waiting = counted('waiting');
  const all = waiting < MAX_READ ? waiting : Math.max(waiting, entries - counted('delayed'));
  return { waiting: waiting === 0 ? 1 : all / waiting, delayed: 1, running: 1 };
}

/** The sums of those that have the same labels, in whole numbers. */
function summed(counts: readonly StateCount[], of: (count: StateCount) => Labeled): Labeled[] {
  const sums = new Map<string, [values: readonly string[], value: number]>();
  for (const [values, value] of counts.map(of)) {
    const key = values.join('\u0000');
    const known = sums.get(key);
    if (known === undefined) {
      sums.set(key, [values, value]);
    } else {
      known[1] += value;
    }
  }
  return [...sums.values()].map(([values, value]) => [values, Math.round(value)]);
}
