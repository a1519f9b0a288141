import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { inject } from 'vitest';
import { TEMPLATE } from './global-setup.js';

export interface TestDatabase {
  url: string;
  /** Also ends the connections that are still open to it. */
  drop(): Promise<void>;
}

const ATTEMPTS = 20;
const BETWEEN_MS = 100;

/**
 * A database of one's own on the run's server.
 *
 * @param from `migrated` is a copy of the template, `empty` has no tables at all
 */
export async function createTestDatabase(
  from: 'migrated' | 'empty' = 'migrated',
): Promise<TestDatabase> {
  const server = inject('databaseServer');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const template = from === 'migrated' ? TEMPLATE : 'template0';
  await copy(server, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** The template can be in use for a moment: by another copy, or by autovacuum. */
async function copy(server: string, sql: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await execute(server, sql);
    } catch (error) {
      const inUse = (error as { code?: string }).code === '55006';
      if (!inUse || attempt === ATTEMPTS) throw error;
      await sleep(BETWEEN_MS);
    }
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
