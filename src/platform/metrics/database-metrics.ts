import type pg from 'pg';
import { type Metrics, QUICK_SECONDS } from './metrics.js';
import type { Spread } from './series.js';

type Query = (this: unknown, config: unknown, ...rest: unknown[]) => unknown;

/**
 * Measures what the database is asked for, by the names of statements: those of hot paths have one, the rest
 * are `unnamed`.
 */
export class DatabaseMetrics {
  private readonly durations;
  private readonly failures;
  private readonly known = new Map<string, Spread>();
  private readonly pools = new Map<string, pg.Pool>();

  constructor(private readonly metrics: Metrics) {
    this.durations = metrics.histogram(
      {
        name: 'headframe_database_query_duration_seconds',
        help: 'From sending a statement to its answer, by its name; waiting for a connection is not in it.',
        labels: ['statement'],
      },
      QUICK_SECONDS,
    );
    this.failures = metrics.counter({
      name: 'headframe_database_query_failures_total',
      help: 'Statements that failed, by name and SQLSTATE class; class "none": no answer.',
      labels: ['statement', 'class'],
    });
    metrics.gauge(
      {
        name: 'headframe_database_connections',
        help: 'Connections of the pools (requests: what clients wait for; work: all else), by state.',
        labels: ['pool', 'state'],
      },
      () =>
        [...this.pools].flatMap(([pool, { totalCount, idleCount }]) => [
          [[pool, 'used'], totalCount - idleCount] as const,
          [[pool, 'idle'], idleCount] as const,
        ]),
    );
    metrics.gauge(
      {
        name: 'headframe_database_connections_max',
        help: 'Most connections that a pool may have.',
        labels: ['pool'],
      },
      () => [...this.pools].map(([pool, { options }]) => [[pool], options.max] as const),
    );
    metrics.gauge(
      {
        name: 'headframe_database_waiting',
        help: 'Statements that wait for a connection of a pool.',
        labels: ['pool'],
      },
      () => [...this.pools].map(([pool, { waitingCount }]) => [[pool], waitingCount] as const),
    );
  }

  /** @param name `requests` or `work` */
  watch(name: string, pool: pg.Pool): void {
    this.pools.set(name, pool);
  }

  /** What connections are to be made of in place of another; that itself when nothing is measured. */
  measured(plain: typeof pg.Client): typeof pg.Client {
    if (!this.metrics.on) {
      return plain;
    }
    const note = this.note.bind(this);
    const query = plain.prototype.query as unknown as Query;
    class MeasuredClient extends plain {}
    // Not an override: of its dozen signatures only these two places matter.
    (MeasuredClient.prototype as unknown as { query: Query }).query = function (config, ...rest) {
      if (typeof config === 'string') {
        // The begin and the end of a transaction, which are sent with the statement between them.
        return query.call(this, config, ...rest);
      }
      const name = (config as { readonly name?: string } | undefined)?.name ?? 'unnamed';
      const asked = performance.now();
      const place = rest.findIndex((argument) => typeof argument === 'function');
      const callback = rest[place] as ((...answer: unknown[]) => void) | undefined;
      if (callback !== undefined) {
        rest[place] = (error: unknown, ...answer: unknown[]) => {
          note(name, asked, error);
          callback(error, ...answer);
        };
      }
      const answer = query.call(this, config, ...rest);
      if (callback === undefined && answer instanceof Promise) {
        answer.then(
          () => note(name, asked, null),
          (error: unknown) => note(name, asked, error),
        );
      }
      return answer;
    };
    return MeasuredClient;
  }

  private note(name: string, asked: number, error: unknown): void {
    let spread = this.known.get(name);
    if (spread === undefined) {
      spread = this.durations.of(name);
      this.known.set(name, spread);
    }
    spread.observe((performance.now() - asked) / 1_000);
    if (error !== null && error !== undefined) {
      const { code } = error as { code?: unknown };
      const isState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
      this.failures.of(name, isState ? code.slice(0, 2) : 'none').add();
    }
  }
}
