import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { JobLogsStore } from '../../src/jobs/logs/logs.store.js';
import { type JobKey, NO_OPTIONS } from '../../src/jobs/job/job.js';
import type { ClaimedJob } from '../../src/jobs/lease/lease.store.js';
import { SubmitQuota } from '../../src/jobs/submit/submit-quota.js';
import { UsageStore } from '../../src/jobs/care/usage.store.js';
import type { Problem } from '../../src/platform/http/problem/problem.js';
import { ACTOR, Engine, TASK } from '../support/jobs.js';
import { believedBytes, countedBytes } from '../support/stored-bytes.js';

/** In UTF-8 longer than it has characters. */
const PARAMETERS = '{"seconds":0,"note":"Größe"}';
const PARAMETER_BYTES = Buffer.byteLength(PARAMETERS);

describe('stored bytes', () => {
  let engine: Engine;
  /** Another replica over the same database. */
  let other: Engine;

  beforeAll(async () => {
    engine = await Engine.open();
    other = Engine.on(engine.url);
  });
  afterAll(async () => {
    await other?.close();
    await engine?.close();
  });

  async function submit(replica: Engine, orgId: string): Promise<JobKey> {
    const key = { jobId: uuidv7(), orgId, topic: TASK.topic, task: TASK.name };
    await replica.submits.create({
      ...key,
      maxAttempts: 1,
      options: NO_OPTIONS,
      parameters: PARAMETERS,
      by: ACTOR,
    });
    return key;
  }
  const flush = () => Promise.all([engine.usage.flush(), other.usage.flush()]);
  const expectExact = async () => {
    await flush();
    expect(await believedBytes(engine.owner)).toEqual(await countedBytes(engine.owner));
  };
  const quotaOf = ({ database, usage }: Engine) => new SubmitQuota(database, usage);
  const recount = async () => {
    await engine.owner.query(`UPDATE housekeeping SET due_at = '-infinity'`);
    return new UsageStore(engine.database).recount(600);
  };

  it('are known exactly whatever replicas do at once, and while they add up', async () => {
    const organizations = Array.from({ length: 5 }, () => randomUUID());
    const replicas = [engine, other];
    let busy = true;
    const adding = replicas.map(async ({ usage }) => {
      while (busy) {
        await usage.flush();
        await nextTurn();
      }
    });
    await Promise.all(
      replicas.map(async (replica) => {
        const keys = await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            submit(replica, organizations[index % organizations.length] as string),
          ),
        );
        const logs = new JobLogsStore(replica.database);
        const workerId = await replica.register();
        const claimed: ClaimedJob[] = [];
        for (let count = 0; count < 10; count += 1) {
          claimed.push(...(await replica.claim(workerId, 16)));
        }
        await Promise.all(
          claimed.map(async (lease, index) => {
            const pieces = [1, 2, 3].map((number) => ({ number, text: `Zeile ${number} ü\n` }));
            await logs.append([{ ...lease, pieces, keepFrom: 1 }]);
            await logs.append([{ ...lease, pieces, keepFrom: 1 + (index % 3) }]);
            if (index % 2 === 0) {
              await replica.leases.succeed({ ...lease, results: '{"größe":1}', message: null });
            }
          }),
        );
        await Promise.all(
          keys.filter((_, index) => index % 4 === 0).map((key) => replica.ends.purge(key, ACTOR)),
        );
      }),
    );
    busy = false;
    await Promise.all(adding);
    await expectExact();
    expect(Object.keys(await believedBytes(engine.owner)).toSorted()).toEqual(
      organizations.toSorted(),
    );
  });

  it('that a replica forgot when it was killed are found by the recount', async () => {
    const [lost, quiet] = [randomUUID(), randomUUID()];
    await submit(other, quiet);
    await flush();
    await submit(engine, lost);
    await flush();
    // As if the last second had not been added.
    await engine.owner.query('UPDATE organization_usage SET stored_bytes = -7 WHERE org_id = $1', [
      lost,
    ]);
    expect(await recount()).toBe(1);
    expect((await believedBytes(engine.owner))[lost]).toBe(PARAMETER_BYTES);
    expect(await new UsageStore(engine.database).recount(600)).toBeNull();
    expect(await recount()).toBe(0);
  });

  it('are not counted for what a statement undid', async () => {
    const key = await submit(engine, randomUUID());
    const again = engine.submits.create({
      ...key,
      maxAttempts: 1,
      options: NO_OPTIONS,
      parameters: PARAMETERS,
      by: ACTOR,
    });
    await expect(again).rejects.toMatchObject({ code: '23505' });
    await expectExact();
  });

  it('that were stored before they were counted are not taken off when they are deleted', async () => {
    const { key } = await engine.jobIn('succeeded');
    await flush();
    await engine.owner.query(
      `UPDATE job_submissions SET parameters = NULL, parameters_bytes = NULL WHERE id = '${key.jobId}';
       UPDATE job_ends SET results = NULL, results_bytes = NULL WHERE job_id = '${key.jobId}';
       INSERT INTO job_parameters (job_id, org_id, parameters) VALUES ('${key.jobId}', '${key.orgId}', '{}');
       INSERT INTO job_results (job_id, org_id, results) VALUES ('${key.jobId}', '${key.orgId}', '{}');
       DELETE FROM organization_usage WHERE org_id = '${key.orgId}'`,
    );
    expect(await engine.ends.purge(key, ACTOR)).toBe('succeeded');
    expect((await believedBytes(engine.owner))[key.orgId]).toBeUndefined();
  });

  describe('beyond the cap', () => {
    /** Admits and stores until it is refused. @returns how many were stored */
    async function fill(replica: Engine, quota: SubmitQuota, orgId: string): Promise<number> {
      for (let stored = 0; ; stored += 1) {
        try {
          await quota.admit(orgId, PARAMETER_BYTES);
        } catch (error) {
          expect((error as Problem).slug).toBe('too-many-requests');
          return stored;
        }
        await submit(replica, orgId);
      }
    }

    it('are refused, to the byte by one replica', async () => {
      const orgId = randomUUID();
      await engine.limits.setOrganization(orgId, { maxStoredBytes: 5 * PARAMETER_BYTES - 1 });
      expect(await fill(engine, quotaOf(engine), orgId)).toBe(4);
      await flush();
      expect(await fill(other, quotaOf(other), orgId)).toBe(0);
      await engine.limits.setOrganization(orgId, { maxStoredBytes: 5 * PARAMETER_BYTES });
      expect(await fill(other, quotaOf(other), orgId)).toBe(1);
    });

    it('are at most, of each replica, what room it saw', async () => {
      const orgId = randomUUID();
      await engine.limits.setOrganization(orgId, { maxStoredBytes: 10 * PARAMETER_BYTES });
      const quotas = [engine, other].map(quotaOf);
      // Both see all the room there is, before either has stored anything.
      await Promise.all(quotas.map((quota) => quota.admit(orgId, PARAMETER_BYTES)));
      await Promise.all([submit(engine, orgId), submit(other, orgId)]);
      const filled = await Promise.all([
        fill(engine, quotas[0] as SubmitQuota, orgId),
        fill(other, quotas[1] as SubmitQuota, orgId),
      ]);
      const stored = 2 + (filled[0] ?? 0) + (filled[1] ?? 0);
      expect(stored).toBeGreaterThanOrEqual(10);
      expect(stored).toBeLessThanOrEqual(20);
      await flush();
      expect(await fill(engine, quotaOf(engine), orgId)).toBe(0);
    });

    it('are stored all the same when they are results: then submits are refused', async () => {
      const { key, leaseId } = await engine.jobIn('in progress');
      await engine.limits.setOrganization(key.orgId, { maxStoredBytes: 100 });
      const results = JSON.stringify({ text: 'x'.repeat(1_000) });
      const ended = await engine.leases.succeed({
        jobId: key.jobId,
        leaseId,
        results,
        message: null,
      });
      expect(ended).toBe('succeeded');
      expect((await engine.states.findResults(key))?.results).toBe(results);
      const quota = () => quotaOf(engine);
      await expect(quota().admit(key.orgId, 2)).rejects.toMatchObject({
        slug: 'too-many-requests',
        extra: { headers: { 'retry-after': '60' } },
      });
      await engine.ends.purge(key, ACTOR);
      await quota().admit(key.orgId, 2);
    });

    it('are none of an organization without one, whose waiting jobs alone are capped', async () => {
      const orgId = randomUUID();
      await engine.limits.setOrganization(orgId, { maxUnstarted: 1 });
      const quota = quotaOf(engine);
      await quota.admit(orgId, 2 ** 40);
      await expect(quota.admit(orgId, 1)).rejects.toMatchObject({
        detail: expect.stringContaining('jobs waiting'),
      });
    });
  });
});
