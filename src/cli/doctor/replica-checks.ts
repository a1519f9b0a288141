import type pg from 'pg';
import type { Config } from '../../platform/config.js';
import { VERSION } from '../../platform/version.js';
import { bad, type Finding, good } from './finding.js';

/** Seconds that a job waits before somebody should look. */
const LONG_WAIT_SECONDS = 600;
/** Versions of rows beyond this many show that vacuum does not keep up. */
const MANY_DEAD = 500_000;

/** The workers that beat, their versions, and what waits for them. */
export async function checkReplicas(
  pool: pg.Pool,
  { LEASE_SECONDS }: Config,
): Promise<readonly Finding[]> {
  const { rows: workers } = await pool.query<{
    name: string;
    draining: boolean;
    alive: boolean;
    version: string | null;
  }>(
    `SELECT w.name, w.draining, w.beat_at > clock_timestamp() - $1 * interval '1 second' AS alive,
       p.program AS version
     FROM workers w LEFT JOIN worker_programs p ON p.worker_id = w.id ORDER BY w.name`,
    [LEASE_SECONDS],
  );
  const { rows: queue } = await pool.query<{
    waiting: number;
    oldest: number | null;
    dead: number;
  }>(
    `SELECT (SELECT count(*)::int FROM (
         SELECT 1 FROM job_queue WHERE run_after IS NULL ORDER BY org_id LIMIT 10000) AS first) AS waiting,
       (SELECT extract(epoch FROM clock_timestamp() - s.created_at)::float8 FROM (
          SELECT job_id FROM (SELECT job_id, run_after FROM job_queue ORDER BY job_id LIMIT 10000) AS first
          WHERE run_after IS NULL ORDER BY job_id LIMIT 1) AS oldest
        JOIN job_submissions s ON s.id = oldest.job_id) AS oldest,
       (SELECT coalesce(max(n_dead_tup), 0)::float8 FROM pg_stat_user_tables
        WHERE relname IN ('job_queue', 'job_leases')) AS dead`,
  );
  const alive = workers.filter((worker) => worker.alive && !worker.draining);
  const { waiting, oldest, dead } = queue[0] as (typeof queue)[number];
  return [
    workerFinding(alive.length, waiting),
    ...versionFindings(alive),
    queueFinding(waiting, oldest, alive.length),
    ...(dead < MANY_DEAD
      ? []
      : [
          bad(
            'vacuum',
            'warn',
            `${dead} dead rows in the queue or its leases`,
            'Claims read past them: see which transaction or replication slot holds vacuum back, end it, and run VACUUM job_queue, job_leases.',
          ),
        ]),
  ];
}

function workerFinding(alive: number, waiting: number): Finding {
  const found = `${alive} take jobs`;
  if (alive > 0) {
    return good('workers', found);
  }
  const advice = 'Start a replica with ROLE=worker or all.';
  return bad('workers', waiting > 0 ? 'fail' : 'warn', found, advice);
}

function versionFindings(
  workers: readonly { readonly name: string; readonly version: string | null }[],
): readonly Finding[] {
  const others = workers.filter(({ version }) => version !== null && version !== VERSION);
  return others.length === 0
    ? [good('versions', `this is ${VERSION}, and so are all workers`)]
    : [
        bad(
          'versions',
          'warn',
          `this is ${VERSION}; ${others.map(({ name, version }) => `${name} is ${version}`).join(', ')}`,
          'They work together while the schema suits both; finish the upgrade, or undo it.',
        ),
      ];
}

function queueFinding(waiting: number, oldest: number | null, workers: number): Finding {
  const found = `${waiting === 10_000 ? '10,000 or more' : waiting} wait${oldest === null ? '' : `, the oldest since ${Math.round(oldest)} s`}`;
  return oldest === null || oldest < LONG_WAIT_SECONDS || workers === 0
    ? good('queue', found)
    : bad(
        'queue',
        'warn',
        found,
        'See docs/runbook.md#headframejobswaittoolong: slots in use, WORKER_TASKS, limits of organizations and tasks.',
      );
}
