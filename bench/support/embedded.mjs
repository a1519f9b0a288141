// An embedded PostgreSQL of its own for a benchmark, migrated; removed at the end.
import { rmSync } from 'node:fs';
import {
  startEmbeddedPostgres,
  temporaryDataHome,
} from '../../dist/platform/database/embedded-postgres.js';
import { applyMigrations } from '../../dist/platform/database/migrations.js';

/** @returns {Promise<{url: string, stop(): Promise<void>}>} with fsync on, as in production */
export async function benchDatabase() {
  const dataHome = temporaryDataHome(process.cwd());
  const server = await startEmbeddedPostgres({ dataHome, fsync: true, log: () => {} });
  await applyMigrations({ connectionString: server.url, log: () => {} });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      rmSync(dataHome, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
