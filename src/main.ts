import 'reflect-metadata';
import { createApp } from './app.js';
import { loadConfig } from './platform/config.js';
import { dataHomeOf, openDatabase } from './platform/database/open-database.js';
import { exitFatally } from './platform/fatal.js';
import { createLogger } from './platform/logging/service.logger.js';

/** Starts a replica, and ends it on SIGTERM or SIGINT: a second signal does not wait. */
async function main(): Promise<void> {
  const config = loadConfig();
  const dataHome = dataHomeOf(config);
  const logger = createLogger(config);
  const database = await openDatabase(config, dataHome, (message) => logger.info(message));
  const app = await createApp({ config, databaseUrl: database.url, dataHome, logger });

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) {
      process.exit(1);
    }
    stopping = true;
    logger.info({ signal }, 'stopping');
    void app
      .close()
      .then(() => database.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, 'could not stop cleanly');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  await app.nest.listen(config.PORT, config.HOST);
  logger.info(
    {
      url: await app.nest.getUrl(),
      role: config.ROLE,
      ...(config.NODE_ENV !== 'production' && { dataHome }),
    },
    'listening',
  );
}

main().catch(exitFatally);
