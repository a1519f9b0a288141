import { Logger } from '@nestjs/common';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isDatabaseUnavailable } from '../../src/platform/database/database-errors.js';
import { ConnectionPool, hangUp } from '../../src/platform/database/connections/connection-pool.js';
import { sessionOf } from '../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { StallingProxy } from '../support/stalling-proxy.js';

const PATIENCE = { statementMs: 30_000, answerMs: 500, connectMs: 5_000 };

describe('connections that die without a word', () => {
  let database: TestDatabase;
  let proxy: StallingProxy;
  let connections: ConnectionPool;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase('empty');
  });
  beforeEach(async () => {
    proxy = await StallingProxy.open(database.url);
    connections = new ConnectionPool(proxy.url, 'headframe_api', 3, PATIENCE);
  });
  afterEach(async () => {
    await connections.close();
    proxy.close();
  });
  afterAll(() => database?.drop());

  /** @returns the server's processes that answered, one for each connection */
  async function useAtOnce(count: number): Promise<number[]> {
    const answers = Array.from({ length: count }, () =>
      connections.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_sleep(0.05)'),
    );
    return (await Promise.all(answers)).map(({ rows }) => Number(rows[0]?.pid));
  }

  it('are not used again after a statement that was not answered in time', async () => {
    const [dead] = await useAtOnce(1);
    proxy.abandon();
    const failure: unknown = await connections.pool.query('SELECT 1').catch((error) => error);
    expect(failure).toMatchObject({ message: 'Query read timeout' });
    expect(isDatabaseUnavailable(failure)).toBe(true);
    expect(connections.pool.idleCount).toBe(0);
    const [alive] = await useAtOnce(1);
    expect(alive).not.toBe(dead);
  });

  it('can be given up all at once: idle ones are not used again, waits for answers end', async () => {
    const dead = await useAtOnce(3);
    proxy.abandon();
    const waiting = connections.pool.query('SELECT 1').catch((error: unknown) => error);
    await expect.poll(() => connections.pool.idleCount).toBe(2);
    connections.discard();
    expect(isDatabaseUnavailable(await waiting)).toBe(true);
    await expect.poll(() => connections.pool.totalCount).toBe(0);
    const alive = await useAtOnce(3);
    expect(alive.filter((pid) => dead.includes(pid))).toEqual([]);
  });

  it('do not keep the process from ending', async () => {
    await useAtOnce(3);
    const single = new pg.Client(sessionOf(proxy.url, 'headframe_worker', PATIENCE));
    await single.connect();
    proxy.abandon();
    await Promise.all([connections.close(), hangUp(single)]);
    connections = new ConnectionPool(proxy.url, 'headframe_api', 1, PATIENCE);
  });
});
