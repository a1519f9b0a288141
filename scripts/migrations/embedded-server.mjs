import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Lends an embedded PostgreSQL server that lives for one call.
 *
 * @template T
 * @param {(url: string) => Promise<T>} use told the address of an empty database
 * @returns {Promise<T>}
 */
export async function withEmbeddedServer(use) {
  const { startEmbeddedPostgres, temporaryDataHome } = await launcher();
  const dataHome = temporaryDataHome(root);
  try {
    const server = await startEmbeddedPostgres({ dataHome, fsync: false, log: () => {} });
    try {
      return await use(server.url);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(dataHome, { recursive: true, force: true });
  }
}

/** The launcher is TypeScript, and there may be no build yet: Vite reads it as it is. */
async function launcher() {
  const source = join(root, 'src/platform/database/embedded/embedded-postgres.ts');
  /** @type {{ module: typeof import('../../src/platform/database/embedded/embedded-postgres.js') }} */
  const { module } = await runnerImport(source, { root, configFile: false, logLevel: 'error' });
  return module;
}
