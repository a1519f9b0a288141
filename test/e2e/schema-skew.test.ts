import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, it, type TestContext } from 'vitest';
import { applyMigrations } from '../../src/platform/database/schema/migrations.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const NEWEST = '20261127020000_job_queue';
const LATER = '20990101000000_later';

const record = (name: string, logs: string | null) =>
  `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, logs)
   VALUES (gen_random_uuid()::text, 'x', '${name}', now(), ${logs === null ? 'NULL' : `'${logs}'`})`;
const forget = (name: string) => `DELETE FROM _prisma_migrations WHERE migration_name = '${name}'`;

/** How a schema comes not to fit, what the replica says of it, and how it fits again. */
const SKEWS: readonly { what: string; spoil: string; says: string; mend: string }[] = [
  {
    what: 'lacks the newest migration',
    spoil: forget(NEWEST),
    says: `older than this build: it lacks ${NEWEST}`,
    mend: record(NEWEST, null),
  },
  {
    what: 'has a migration that was begun and did not finish',
    spoil: `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${NEWEST}'`,
    says: `${NEWEST} was begun and did not finish`,
    mend: `UPDATE _prisma_migrations SET finished_at = now() WHERE migration_name = '${NEWEST}'`,
  },
  {
    what: 'is newer, by a migration that old code cannot work with',
    spoil: record(LATER, `oldest code: ${LATER}`),
    says: `newer than this build can work with: its migration ${LATER}`,
    mend: forget(LATER),
  },
  {
    what: 'has no table of migrations',
    spoil: 'ALTER TABLE _prisma_migrations RENAME TO elsewhere',
    says: 'has no schema of this service',
    mend: 'ALTER TABLE elsewhere RENAME TO _prisma_migrations',
  },
  {
    what: 'was migrated, and lost a table',
    spoil: 'ALTER TABLE job_labels RENAME TO lost',
    says: 'restored in part: it says that it is migrated, and has no job_labels',
    mend: 'ALTER TABLE lost RENAME TO job_labels',
  },
  {
    what: 'lost the grants of its roles',
    spoil: 'REVOKE SELECT ON job_queue FROM headframe_api',
    says: 'there are no policies or grants on job_queue',
    mend: 'GRANT SELECT ON job_queue TO headframe_api',
  },
  {
    what: 'lost the right of its roles on the schema',
    spoil: 'REVOKE USAGE ON SCHEMA public FROM PUBLIC, headframe_api, headframe_worker',
    says: 'its login may not use it',
    mend: 'GRANT USAGE ON SCHEMA public TO PUBLIC, headframe_api, headframe_worker',
  },
];

/** A database of its own for each test, and a replica on it: they wait more than they work, so several run at once. */
async function open({ expect, onTestFinished }: TestContext, from: 'migrated' | 'empty') {
  const database: TestDatabase = await createTestDatabase(from);
  const owner = new pg.Client(database.url);
  await owner.connect();
  let service: Service | undefined;
  onTestFinished(async () => {
    await service?.stop();
    await owner.end();
    await database.drop();
  });
  const start = async () => {
    service = await startService(database.url, { MIGRATE: 'false' });
    const org = randomUUID();
    const client = new Client(service.url, org, await token(org));
    return new Replica(service, client, expect);
  };
  return { database, owner, start };
}

class Replica {
  constructor(
    private readonly service: Service,
    private readonly client: Client,
    private readonly expect: TestContext['expect'],
  ) {}

  async ready(): Promise<number> {
    return (await fetch(`${this.service.url}/health/ready`)).status;
  }

  async expectUnfit(says: string): Promise<void> {
    const { url } = this.service;
    await this.expect.poll(() => this.ready(), { timeout: 30_000 }).toBe(503);
    const health = await fetch(`${url}/health/ready`);
    this.expect(((await health.json()) as { detail: string }).detail).toContain(says);
    for (const path of [`/compute/orgs/${randomUUID()}/tasks`, '/nowhere']) {
      const answer = await fetch(`${url}${path}`);
      this.expect([path, answer.status]).toEqual([path, 503]);
      this.expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      this.expect(await answer.json()).toMatchObject({ type: 'urn:headframe:problem/unavailable' });
    }
    this.expect((await this.client.get('/')).status).toBe(503);
    const lines = this.service.logLines().filter(({ msg }) => String(msg).includes(says));
    this.expect(lines).toHaveLength(1);
  }

  async expectFit(): Promise<void> {
    await this.expect.poll(() => this.ready(), { timeout: 30_000 }).toBe(200);
    const job = await this.client.submit('diagnostics/sleep', { seconds: 0 });
    this.expect(await this.client.ended(job)).toMatchObject({ status: 'succeeded' });
  }
}

describe.concurrent('a replica whose schema does not fit its code', () => {
  it.for(SKEWS)('starts, says why, and serves once it fits: it $what', async (skew, context) => {
    const { owner, start } = await open(context, 'migrated');
    await owner.query(skew.spoil);
    const replica = await start();
    await replica.expectUnfit(skew.says);
    await owner.query(skew.mend);
    await replica.expectFit();
  });

  it.for(SKEWS)('notices while it runs, and claims nothing: it $what', async (skew, context) => {
    const { owner, start } = await open(context, 'migrated');
    const replica = await start();
    await replica.expectFit();
    await owner.query(skew.spoil);
    await replica.expectUnfit(skew.says);
    await owner.query(
      `WITH job AS (
         INSERT INTO job_submissions (id, org_id, topic, task)
         VALUES (gen_random_uuid(), gen_random_uuid(), 'diagnostics', 'sleep') RETURNING *
       )
       INSERT INTO job_queue (job_id, org_id, topic, task) SELECT id, org_id, topic, task FROM job`,
    );
    // It looks for work several times a second, and is asked until it has looked again at the schema.
    for (let look = 0; look < 20; look += 1) {
      context.expect(await replica.ready()).toBe(503);
    }
    context
      .expect((await owner.query('SELECT status, attempt FROM jobs WHERE attempt = 0')).rows)
      .toEqual([{ status: 'requested', attempt: 0 }]);
    await owner.query(skew.mend);
    await replica.expectFit();
  });

  it('starts on an empty database, and serves once another has migrated it', async (context) => {
    const { database, start } = await open(context, 'empty');
    const replica = await start();
    await replica.expectUnfit('has no schema of this service');
    await applyMigrations({ connectionString: database.url, log: () => undefined });
    await replica.expectFit();
  });

  it('serves beside a newer schema whose migrations only add, or say that this code may', async (context) => {
    const { owner, start } = await open(context, 'migrated');
    await owner.query(record(LATER, null));
    await owner.query(record(`${LATER}_2`, `oldest code: ${NEWEST}`));
    const replica = await start();
    await replica.expectFit();
  });
});
