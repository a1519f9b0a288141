import { loadConfig } from '../platform/config.js';
import { dataHomeOf, openDatabase } from '../platform/database/schema/open-database.js';
import { exitFatally } from '../platform/fatal.js';

/** Applies outstanding migrations and ends: for deployments that migrate before they start. */
async function main(): Promise<void> {
  // It serves no clients, so it needs no key for tokens.
  const config = loadConfig({ ...process.env, ROLE: 'worker' });
  const database = await openDatabase(
    { ...config, MIGRATE: true },
    dataHomeOf(config),
    console.log,
  );
  await database.close();
}

main().catch(exitFatally);
