import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** Folder of the build before the newest migration; `npm run test:upgrade` makes one. */
const PREVIOUS = process.env.HEADFRAME_TEST_PREVIOUS ?? '';
const PRESENT = fileURLToPath(new URL('../..', import.meta.url));

if (PREVIOUS === '') {
  console.log('test/upgrade is skipped: it needs a build of before (npm run test:upgrade).');
}

const migrationsOf = (folder: string) =>
  readdirSync(join(folder, 'prisma/migrations')).filter((name) => /^\d+_/.test(name));

describe.skipIf(PREVIOUS === '')(
  'an upgrade of two replicas across a migration, under load',
  () => {
    const org = randomUUID();
    let database: TestDatabase;
    let replicas: Service[] = [];

    const start = (folder: string) =>
      startService(
        database.url,
        { MIGRATE: 'false', WORKER_SLOTS: '4', SHUTDOWN_SECONDS: '2' },
        [],
        join(folder, 'dist/main.js'),
      );
    /** The command that migrates, of a build; others work meanwhile. */
    async function migrate(folder: string): Promise<void> {
      const command = spawn(process.execPath, [join(folder, 'dist/cli/migrate.js')], {
        env: { PATH: process.env.PATH, DATABASE_URL: database.url },
        stdio: 'inherit',
      });
      expect(await once(command, 'exit')).toEqual([0, null]);
    }

    beforeAll(async () => {
      database = await createTestDatabase('empty');
      await migrate(PREVIOUS);
      replicas = await Promise.all([start(PREVIOUS), start(PREVIOUS)]);
    });
    afterAll(async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await database?.drop();
    });

    it('loses no job, and fails no request that a client may repeat', async () => {
      const bearer = await token(org);
      const accepted = new Set<string>();
      const refused: { phase: string; status: number | null }[] = [];
      const failed: string[] = [];
      let phase = 'before';
      let stopped = false;

      /** As a client behind a load balancer: what is refused goes to the next replica, by the same key. */
      const submit = async (count: number): Promise<void> => {
        const key = { 'idempotency-key': randomUUID() };
        const body = { parameters: { seconds: (count % 4) * 0.3, steps: 3 } };
        for (let attempt = 0; attempt < 20; attempt += 1) {
          const replica = replicas[(count + attempt) % replicas.length] as Service;
          const client = new Client(replica.url, org, bearer);
          const answer: Answer | null = await client
            .execute('diagnostics/sleep', body, key)
            .catch(() => null);
          if (answer?.status === 303) {
            accepted.add((answer.headers.get('location') as string).slice(0, -7));
            return;
          }
          refused.push({ phase, status: answer?.status ?? null });
          await sleep(100);
        }
        failed.push(phase);
      };
      const loading = Promise.all(
        [0, 1, 2].map(async (lane) => {
          for (let count = lane; !stopped; count += 3) {
            await submit(count);
            await sleep(30);
          }
        }),
      );
      /** Goes on until so many more jobs were accepted. */
      const go = async (name: string, jobs: number): Promise<void> => {
        phase = name;
        const here = accepted.size;
        await expect.poll(() => accepted.size, { timeout: 60_000 }).toBeGreaterThan(here + jobs);
      };

      await go('before', 40);
      phase = 'migrating';
      await migrate(PRESENT);
      await go('old build on the new schema', 60);
      for (const index of [0, 1]) {
        phase = `replacing ${index + 1}`;
        const next = await start(PRESENT);
        const old = replicas[index] as Service;
        replicas[index] = next;
        expect(await old.end('SIGTERM')).toBe(0);
        await go(phase, 40);
      }
      await go('after', 40);
      // And back: a build of before runs on the new schema.
      phase = 'rolling back 1';
      const back = await start(PREVIOUS);
      const present = replicas[0] as Service;
      replicas[0] = back;
      expect(await present.end('SIGTERM')).toBe(0);
      await go(phase, 40);
      stopped = true;
      await loading;

      expect(failed).toEqual([]);
      // Only what says of itself that it may be repeated, and only while a replica stops.
      expect(refused.filter(({ status }) => status !== null && status !== 503)).toEqual([]);
      expect(refused.filter(({ phase: when }) => !/^(replacing|rolling)/.test(when))).toEqual([]);
      const client = new Client((replicas[1] as Service).url, org, bearer);
      for (const job of accepted) {
        expect((await client.ended(job, 60_000)).status).toBe('succeeded');
      }
      const connection = new pg.Client(database.url);
      await connection.connect();
      const { rows } = await connection.query(
        'SELECT count(*)::int AS jobs, sum(failures)::int AS failures, sum(crashes)::int AS crashes FROM jobs',
      );
      await connection.end();
      expect(rows).toEqual([{ jobs: accepted.size, failures: 0, crashes: 0 }]);
      const added = migrationsOf(PRESENT).filter((name) => !migrationsOf(PREVIOUS).includes(name));
      console.log(
        `upgrade: across ${added.join(', ')}: ${accepted.size} jobs accepted and succeeded, ${refused.length} requests repeated at the other replica`,
      );
    }, 300_000);
  },
);
