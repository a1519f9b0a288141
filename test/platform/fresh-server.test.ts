import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../src/platform/database/embedded/embedded-postgres.js';
import { openDatabase } from '../../src/platform/database/schema/open-database.js';

const STARTS = 10;
const ROLES = ['headframe_api', 'headframe_worker', 'headframe_operator'];

/** A server that has never seen this service: replicas of one or two databases start on it at once. */
describe('replicas that start at once on a fresh server', () => {
  const home = temporaryDataHome(process.cwd());
  let server: EmbeddedPostgres;
  let admin: pg.Client;

  beforeAll(async () => {
    server = await startEmbeddedPostgres({ dataHome: home, fsync: false, log: () => undefined });
    admin = new pg.Client(server.url);
    await admin.connect();
  }, 60_000);
  afterAll(async () => {
    await admin?.end();
    await server?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  async function freshDatabases(count: number): Promise<string[]> {
    const names = Array.from({ length: count }, () => `f_${randomUUID().replaceAll('-', '')}`);
    for (const name of names) {
      await admin.query(`CREATE DATABASE ${name} STRATEGY FILE_COPY`);
    }
    return names;
  }

  function start(database: string, logins: readonly [string, string]): Promise<unknown> {
    const address = (login?: string): string => {
      const url = new URL(server.url);
      url.pathname = `/${database}`;
      if (login !== undefined) {
        [url.username, url.password] = [login, 'secret'];
      }
      return url.href;
    };
    return openDatabase(
      {
        DATABASE_OWNER_URL: address(),
        DATABASE_URL: address(logins[0]),
        DATABASE_API_URL: address(logins[1]),
        MIGRATE: true,
      },
      home,
      () => undefined,
    );
  }

  for (const [databases, replicas] of [
    [1, 2],
    [1, 5],
    [2, 2],
    [3, 2],
  ] as const) {
    it(`all start: ${replicas} replicas of each of ${databases} databases, ten times of ten`, async () => {
      for (let round = 0; round < STARTS; round += 1) {
        const names = await freshDatabases(databases);
        const logins = [
          `service_${round}_${databases}${replicas}`,
          `api_${round}_${databases}${replicas}`,
        ] as const;
        const starts = names.flatMap((name) =>
          Array.from({ length: replicas }, () => start(name, logins)),
        );
        const failed = (await Promise.allSettled(starts)).filter(
          ({ status }) => status === 'rejected',
        );
        expect(failed).toEqual([]);
        const { rows } = await admin.query(
          `SELECT pg_has_role($1, 'headframe_api', 'MEMBER') AND pg_has_role($1, 'headframe_worker', 'MEMBER')
              AND pg_has_role($2, 'headframe_api', 'MEMBER') AND NOT pg_has_role($2, 'headframe_worker', 'MEMBER') AS right`,
          [...logins],
        );
        expect(rows).toEqual([{ right: true }]);
        // As it was before: without the databases, what they granted, and the roles.
        for (const name of names) {
          await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
        }
        await admin.query(`DROP ROLE ${[...logins, ...ROLES].join(', ')}`);
      }
    }, 120_000);
  }
});
