import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClaimedJob } from '../../src/jobs/lease/lease.store.js';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../src/platform/database/embedded/embedded-postgres.js';
import { applyMigrations } from '../../src/platform/database/schema/migrations.js';
import { Engine, PROBLEM } from '../support/jobs.js';

/** How often a crash may come too late, when the claim was on disk already. */
const TRIES = 5;

/** Claims do not wait for the disk: a crash of the server right after one forgets it. */
describe('the server crashes and forgets a claim', () => {
  let dataHome: string;
  let server: EmbeddedPostgres;
  let engine: Engine;

  beforeAll(async () => {
    dataHome = temporaryDataHome(process.cwd());
    server = await startEmbeddedPostgres({ dataHome, fsync: false, log: () => undefined });
    await applyMigrations({ connectionString: server.url, log: () => undefined });
    // Otherwise the log is written out five times a second, whoever waits for it.
    await sql(`ALTER SYSTEM SET wal_writer_delay = '10s'`, 'SELECT pg_reload_conf()');
  });
  afterAll(async () => {
    await engine?.close();
    await server?.stop();
    rmSync(dataHome, { recursive: true, force: true, maxRetries: 3 });
  });

  it('a holder whose claim was forgotten changes nothing of the next attempt', async () => {
    const { first, second } = await claimTwice();
    expect(second.attempt).toBe(first.attempt);
    expect(second.leaseId).not.toBe(first.leaseId);
    const before = await engine.row(second.jobId);
    const { leases } = engine;
    expect((await leases.progress([{ ...first, percent: 90, message: 'late' }])).size).toBe(0);
    expect(await leases.release(first)).toBeNull();
    expect(await leases.postpone({ ...first, afterSeconds: 60 })).toBeNull();
    expect(await leases.endCanceled(first)).toBeNull();
    expect(await leases.fail({ ...first, problem: PROBLEM, retryable: false })).toBeNull();
    expect(await leases.succeed({ ...first, results: '{"late":1}', message: null })).toBeNull();
    expect(await engine.row(second.jobId)).toEqual(before);
    expect(await leases.succeed({ ...second, results: '{}', message: null })).toBe('succeeded');
  });

  /** A job that is claimed, forgotten to have been claimed, and claimed again. */
  async function claimTwice(): Promise<{ first: ClaimedJob; second: ClaimedJob }> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      engine = Engine.on(server.url);
      const key = await engine.submit();
      const workerId = await engine.register();
      await sql('CHECKPOINT');
      const first = await engine.claimFor(workerId, key);
      process.kill(await postmaster(), 'SIGQUIT');
      await engine.close();
      await untilItIsBack();
      engine = Engine.on(server.url);
      if ((await engine.row(key.jobId)).status === 'requested') {
        return { first, second: await engine.claimFor(workerId, key) };
      }
      await engine.close();
    }
    throw new Error(`the claim was on disk already, ${TRIES} times`);
  }

  async function sql(...statements: string[]): Promise<Record<string, unknown>[]> {
    const connection = new pg.Client(server.url);
    connection.on('error', () => undefined);
    await connection.connect();
    try {
      let rows: Record<string, unknown>[] = [];
      for (const statement of statements) {
        ({ rows } = await connection.query(statement));
      }
      return rows;
    } finally {
      await connection.end();
    }
  }

  /** The process id of the server: the first line of its lock file. */
  async function postmaster(): Promise<number> {
    const file = join(dataHome, 'postgres', 'cluster', 'data', 'postmaster.pid');
    return Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
  }

  /** Its users start it again, on the same port: here the test is one of them. */
  async function untilItIsBack(): Promise<void> {
    await expect
      .poll(
        () =>
          sql('SELECT 1').then(
            () => true,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true);
  }
});
