/** What an overview wants to know of a job. */
export interface PastJob {
  readonly topic: string;
  readonly task: string;
  readonly status: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly crashes: number;
}

/** Seconds below which so many percent of the jobs lie. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** How jobs went. */
export interface JobsOverview {
  readonly throughput: readonly {
    readonly at: Date;
    readonly submitted: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly canceled: number;
  }[];
  readonly wait: Percentiles | null;
  readonly run: Percentiles | null;
  readonly leasesLost: number;
  readonly byTask: readonly {
    readonly topic: string;
    readonly task: string;
    readonly submitted: number;
    readonly ended: number;
    readonly failed: number;
    readonly run: Percentiles | null;
  }[];
}

/** Tasks beyond this many are left out: the rarest. */
const MAX_TASKS = 100;

/**
 * Sums up jobs that were submitted in a period.
 * @param from its beginning, in milliseconds since 1970
 * @param parts of which it has so many of `partMs` each
 */
export function overviewOf(
  jobs: readonly PastJob[],
  from: number,
  parts: number,
  partMs: number,
): JobsOverview {
  const throughput = Array.from({ length: parts }, (_, part) => ({
    at: new Date(from + part * partMs),
    submitted: 0,
    succeeded: 0,
    failed: 0,
    canceled: 0,
  }));
  const partAt = (moment: Date) =>
    throughput[Math.min(parts - 1, Math.max(0, Math.floor((moment.getTime() - from) / partMs)))];
  const tasks = new Map<string, PastJob[]>();
  for (const job of jobs) {
    const submitted = partAt(job.createdAt);
    if (submitted !== undefined) submitted.submitted += 1;
    const ended = job.endedAt === null ? undefined : partAt(job.endedAt);
    const { status } = job;
    if (ended !== undefined && isEnd(status)) ended[status] += 1;
    const key = `${job.topic}/${job.task}`;
    const known = tasks.get(key);
    if (known === undefined) tasks.set(key, [job]);
    else known.push(job);
  }
  return {
    throughput,
    wait: percentilesOf(jobs.flatMap(({ createdAt, startedAt }) => between(createdAt, startedAt))),
    run: runTimes(jobs),
    leasesLost: jobs.reduce((sum, { crashes }) => sum + crashes, 0),
    byTask: [...tasks.values()]
      .sort((one, other) => other.length - one.length)
      .slice(0, MAX_TASKS)
      .map((list) => ({
        topic: list[0]?.topic ?? '',
        task: list[0]?.task ?? '',
        submitted: list.length,
        ended: list.filter(({ status }) => isEnd(status)).length,
        failed: list.filter(({ status }) => status === 'failed').length,
        run: runTimes(list),
      })),
  };
}

const isEnd = (status: string): status is 'succeeded' | 'failed' | 'canceled' =>
  status === 'succeeded' || status === 'failed' || status === 'canceled';

const runTimes = (jobs: readonly PastJob[]): Percentiles | null =>
  percentilesOf(
    jobs.flatMap(({ startedAt, endedAt }) =>
      startedAt === null ? [] : between(startedAt, endedAt),
    ),
  );

/** Seconds between two moments, which two clocks may have told. */
const between = (one: Date, other: Date | null): number[] =>
  other === null ? [] : [Math.max(0, other.getTime() - one.getTime()) / 1_000];

/** By the nearest rank; null of nothing. */
export function percentilesOf(seconds: readonly number[]): Percentiles | null {
  if (seconds.length === 0) return null;
  const sorted = seconds.toSorted((one, other) => one - other);
  const rank = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] as number;
  return { p50: rank(0.5), p90: rank(0.9), p99: rank(0.99) };
}
