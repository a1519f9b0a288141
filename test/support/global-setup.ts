import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import {
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../src/platform/database/embedded/embedded-postgres.js';
import { findPostmaster } from '../../src/platform/database/embedded/postmaster.js';
import { applyMigrations } from '../../src/platform/database/schema/migrations.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the run's PostgreSQL server, maintenance database. */
    databaseServer: string;
  }
}

/** The migrated database of which every test's database is a copy. */
export const TEMPLATE = 'headframe_template';

/**
 * One PostgreSQL server for the run, in a data home of its own, with a migrated template database.
 * It is stopped and removed at the end, also when tests fail or the run is interrupted.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataHome = temporaryDataHome(project.config.root);
  process.once('exit', () => abandon(dataHome));
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  // So that a test can tell a replica's statements from those of the server and of other tests.
  const settings = { shared_preload_libraries: 'pg_stat_statements' };
  const server = await startEmbeddedPostgres({ dataHome, fsync: false, settings, log });
  const teardown = async () => {
    await server.stop();
    rmSync(dataHome, { recursive: true, force: true });
  };
  try {
    await makeTemplate(server.url, log);
  } catch (error) {
    await teardown();
    throw new Error(`The template database could not be made.\n${lines.join('\n')}`, {
      cause: error,
    });
  }
  project.provide('databaseServer', server.url);
  return teardown;
}

/** The end of a run that was interrupted: nothing can be waited for any more. */
function abandon(dataHome: string): void {
  if (!existsSync(dataHome)) return;
  const server = findPostmaster(join(realpathSync(dataHome), 'postgres', 'cluster', 'data'));
  if (server) process.kill(server.pid, 'SIGQUIT');
  rmSync(dataHome, { recursive: true, force: true, maxRetries: 5 });
}

async function makeTemplate(serverUrl: string, log: (line: string) => void): Promise<void> {
  const client = new Client(serverUrl);
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${TEMPLATE}`);
    const url = new URL(serverUrl);
    url.pathname = `/${TEMPLATE}`;
    await applyMigrations({ connectionString: url.href, log });
    // Nobody may connect: a database in use cannot be copied.
    await client.query(`ALTER DATABASE ${TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  } finally {
    await client.end();
  }
}
