// An embedded PostgreSQL of its own for a benchmark, migrated; removed at the end.
import { rmSync } from 'node:fs';
import pg from 'pg';
import {
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../dist/platform/database/embedded/embedded-postgres.js';
import { applyMigrations } from '../../dist/platform/database/schema/migrations.js';
import { atEnd } from './cleanup.mjs';

/**
 * With fsync on and every other setting as PostgreSQL has it by itself.
 * @returns {Promise<{url: string, database(name: string): Promise<string>, migrated(name: string): Promise<string>}>}
 *   the address of the migrated database, and ways to make an empty one, or another migrated one, on the
 *   same server
 */
export async function benchDatabase() {
  const dataHome = temporaryDataHome(process.cwd());
  atEnd(() => rmSync(dataHome, { recursive: true, force: true, maxRetries: 3 }));
  const server = await startEmbeddedPostgres({ dataHome, fsync: true, log: () => {} });
  atEnd(() => server.stop());
  await applyMigrations({ connectionString: server.url, log: () => {} });
  const database = async (name) => {
    const client = new pg.Client(server.url);
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return url.href;
  };
  const migrated = async (name) => {
    const url = await database(name);
    await applyMigrations({ connectionString: url, log: () => {} });
    return url;
  };
  return { url: server.url, database, migrated };
}
