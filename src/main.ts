import 'reflect-metadata';
import type { Logger } from 'pino';
import { type App, createApp } from './app.js';
import { type Config, loadConfig } from './platform/config.js';
import { hideEnvironment } from './platform/environment.js';
import { checkLogins, dataHomeOf, openDatabase } from './platform/database/schema/open-database.js';
import { exitFatally } from './platform/fatal.js';
import { keepHeapSmall } from './platform/heap.js';
import { createLogger } from './platform/logging/service-logger.js';
import { settingsOf } from './platform/logging/settings.js';
import { VERSION } from './platform/version.js';

/** Starts a replica, and ends it on SIGTERM or SIGINT: a second signal does not wait. */
async function main(): Promise<void> {
  keepHeapSmall();
  // Node opens its debugger on this signal, which any process of the same user may send: a task's, too.
  process.on('SIGUSR1', () => undefined);
  const config = loadConfig();
  const logger = createLogger(config);
  const hidden = hideEnvironment();
  logger.info(
    { version: VERSION, node: process.version, settings: settingsOf(config) },
    'starting',
  );
  if (!hidden && config.ROLE !== 'api' && config.TASKS_DIR !== undefined) {
    logger.warn(
      'the environment of this process cannot be hidden here: commands of process tasks, which run as the same user, can read its secrets',
    );
  }
  if (config.ROLE === 'worker' && config.AUTH_JWT_SECRET !== undefined) {
    logger.warn(
      'AUTH_JWT_SECRET is set, but a worker verifies no tokens: do not give it to workers',
    );
  }
  const replica = start(config, logger);

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) {
      process.exit(1);
    }
    stopping = true;
    logger.info({ signal }, 'stopping');
    // A replica that is still starting is let up first: then there is one way down.
    void replica
      .then(({ close }) => close())
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
  await replica;
}

/** Brings a replica up: database, HTTP, then work. What was begun is undone when a step fails. */
async function start(config: Config, logger: Logger): Promise<{ close(): Promise<void> }> {
  const dataHome = dataHomeOf(config);
  const database = await openDatabase(config, dataHome, (message) => logger.info(message));
  let app: App | undefined;
  const close = async (): Promise<void> => {
    await app?.close();
    await database.close();
  };
  try {
    const warn = (message: string): void => {
      if (config.NODE_ENV === 'production') {
        logger.warn(message);
      }
    };
    await checkLogins(database, warn);
    if (
      config.ROLE !== 'worker' &&
      config.AUTH_AUDIENCE === undefined &&
      config.AUTH_JWT_SECRET === undefined
    ) {
      warn(
        'AUTH_AUDIENCE is not set: tokens that the identity provider gave out for other applications are taken, too',
      );
    }
    app = await createApp({ config, database, dataHome, logger });
    await app.listen();
    logger.info(
      {
        url: await app.nest.getUrl(),
        role: config.ROLE,
        ...(app.metricsUrl !== null && { metrics: app.metricsUrl }),
        ...(config.NODE_ENV !== 'production' && { dataHome }),
      },
      'listening',
    );
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}

main().catch(exitFatally);
