/** Seconds below which so many percent of the jobs lie. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** The answer of `GET …/jobs/overview`. */
export interface Overview {
  readonly period_seconds: number;
  readonly counted: number;
  readonly truncated: boolean;
  readonly throughput: readonly {
    readonly at: string;
    readonly submitted: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly canceled: number;
  }[];
  readonly wait_seconds: Percentiles | null;
  readonly run_seconds: Percentiles | null;
  readonly leases_lost: number;
  readonly by_task: readonly {
    readonly topic: string;
    readonly task: string;
    readonly submitted: number;
    readonly ended: number;
    readonly failed: number;
    readonly run_seconds: Percentiles | null;
  }[];
  readonly workers: readonly {
    readonly id: string;
    readonly version: string | null;
    readonly slots: number | null;
    readonly running: number;
    readonly draining: boolean;
    readonly beat_seconds_ago: number;
    readonly started_at: string;
  }[];
}
