// Workers without a service around them: each claims, has its jobs looked at, and ends them.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClaimStore } from '../../dist/jobs/lease/claim.store.js';
import { LeaseStore } from '../../dist/jobs/lease/lease.store.js';
import { UsageMeter } from '../../dist/jobs/limits/usage-meter.js';
import { WorkerStore } from '../../dist/jobs/lease/worker.store.js';
import { Database } from '../../dist/platform/database/database.js';

/** After a claim that found nothing; a dispatcher waits no shorter. */
const EMPTY_MS = 10;

/**
 * Lets claimers work at the same time, each with one claim on its way, as dispatchers do.
 * @param {string} url
 * @param {{
 *   claimers: number, limit: number, tasks: {topic: string, name: string}[],
 *   goOn(): boolean,
 *   onClaim?(jobs: {orgId: string}[], milliseconds: number): unknown,
 * }} work `onClaim` is awaited before the jobs are ended
 */
export async function claimAndEnd(url, { claimers, limit, tasks, goOn, onClaim = () => {} }) {
  const database = new Database({ url, poolSize: claimers });
  const usage = new UsageMeter(database);
  const [claims, leases] = [new ClaimStore(database), new LeaseStore(database, usage)];
  const workers = new WorkerStore(database);
  const work = async () => {
    const { id } = await workers.register('bench', { version: '0', tasks: new Map() });
    let turn = { cursor: randomUUID(), credit: 0 };
    while (goOn()) {
      const asked = performance.now();
      const claim = await claims.claim(id, tasks, limit, turn);
      const took = performance.now() - asked;
      turn = claim.turn;
      await onClaim(claim.jobs, took);
      if (claim.jobs.length === 0) await sleep(EMPTY_MS);
      await Promise.all(
        claim.jobs.map(({ jobId, leaseId }) =>
          leases.succeed({ jobId, leaseId, message: null, results: '{}' }),
        ),
      );
    }
    await workers.unregister(id);
  };
  try {
    await Promise.all(Array.from({ length: claimers }, work));
  } finally {
    await usage.onModuleDestroy();
    await database.onApplicationShutdown();
  }
}
