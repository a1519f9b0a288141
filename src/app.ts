import { fileURLToPath } from 'node:url';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { developmentKey as findDevelopmentKey } from './auth/keys/development-key.js';
import { NO_KEY, verificationKey } from './auth/keys/verification-key.js';
import { loadManifests } from './compute/catalogue/manifest-loader.js';
import type { TaskCatalogue } from './compute/catalogue/task-catalogue.js';
import { Dispatcher } from './compute/worker/dispatcher.js';
import { mayExist } from './compute/catalogue/task-addresses.js';
import { loadTasks } from './compute/catalogue/task-loader.js';
import { ConsoleFiles } from './console/console-files.js';
import { ConsoleModule } from './console/console.module.js';
import { publicPrefix } from './console/public-prefix.js';
import { JobMetrics } from './jobs/metrics/job-metrics.js';
import { serveOpenApi } from './openapi.js';
import { type Config, ConfigError, metricsPlace } from './platform/config.js';
import { SchemaState } from './platform/database/schema/schema-state.js';
import type { ServiceUrls } from './platform/database/schema/open-database.js';
import { exitFatally } from './platform/fatal.js';
import { Draining } from './platform/http/connections/draining.js';
import { createHttpAdapter } from './platform/http/http-adapter.js';
import { listen, listening } from './platform/http/connections/listen.js';
import { applySecurity } from './platform/http/security.js';
import { limitAddresses } from './platform/rate-limit/address-limit.js';
import { AddressRates } from './platform/rate-limit/address-rates.js';
import { Expositions } from './platform/metrics/exposition.js';
import { measureRequests } from './platform/metrics/http-metrics.js';
import { type MetricsServer, serveMetrics } from './platform/metrics/metrics-server.js';
import { Metrics } from './platform/metrics/metrics.js';
import { measureReplica } from './platform/metrics/replica-metrics.js';
import { tracingOf } from './platform/tracing/otlp-tracing.js';
import { traceRequests } from './platform/tracing/request-traces.js';
import { logRequests } from './platform/logging/request-log.js';
import { ServiceLogger } from './platform/logging/service-logger.js';

/** A replica, ready to listen. */
export interface App {
  readonly nest: NestFastifyApplication;
  /** Where its metrics are, once it listens; null: at no address of their own. */
  readonly metricsUrl: string | null;
  /**
   * Answers requests, then takes jobs: a replica that cannot have its address must not touch any.
   * @throws ListenError
   */
  listen(): Promise<void>;
  /** Drains and closes: 503 for new requests, running jobs finish or are handed back. */
  close(): Promise<void>;
}

/** Folder of the tasks that come with the service. */
const TASKS_FOLDER = fileURLToPath(new URL('./tasks/', import.meta.url));

/**
 * Puts a replica together over a migrated database. The data home is where the development key is
 * kept, if the configuration names no key.
 */
export async function createApp(parts: {
  readonly config: Config;
  readonly database: ServiceUrls;
  readonly dataHome: string;
  readonly logger: Logger;
}): Promise<App> {
  const { config, database, dataHome, logger } = parts;
  const draining = new Draining();
  const schema = new SchemaState();
  const metrics = new Metrics(metricsPlace(config) !== 'nowhere');
  measureReplica(metrics, config, schema);
  const tracing = await tracingOf(config, metrics);
  const { adapter, allowedMethods } = createHttpAdapter({
    trustProxy: config.TRUST_PROXY,
    maxConnections: config.MAX_CONNECTIONS,
    draining,
    schema,
  });
  const catalogue = await loadCatalogue(config, logger);
  allowedMethods.knowAddresses(mayExist(catalogue));
  const key = config.ROLE === 'worker' ? null : findDevelopmentKey(config, dataHome);
  const consoleModule = consoleOf(config, key, logger);
  const module = AppModule.forRoot({
    config,
    database,
    draining,
    schema,
    allowedMethods,
    metrics,
    tracing,
    key: config.ROLE === 'worker' ? NO_KEY : verificationKey(config, key),
    catalogue,
    ...(consoleModule !== null && { console: consoleModule }),
  });
  const nest = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new ServiceLogger(logger),
    bodyParser: false,
    forceCloseConnections: true,
  });
  traceRequests(adapter.getInstance() as unknown as FastifyInstance, tracing);
  logRequests(adapter.getInstance() as unknown as FastifyInstance, logger);
  const counts = nest.get(JobMetrics, { strict: false });
  catalogue.entries.forEach(({ task }) => counts.know(task.topic, task.name));
  measureRequests(adapter.getInstance() as unknown as FastifyInstance, metrics);
  applySecurity(nest, config);
  limitAddresses(adapter.getInstance() as unknown as FastifyInstance, nest.get(AddressRates));
  if (config.ROLE !== 'worker') {
    serveOpenApi(nest, config);
  }
  let metricsServer: MetricsServer | null = null;
  return {
    nest,
    get metricsUrl() {
      return metricsServer?.url ?? null;
    },
    async listen() {
      await listen(nest, config.PORT, config.HOST);
      const { METRICS_PORT: port, HOST: host } = config;
      if (port !== undefined) {
        metricsServer = await listening(
          serveMetrics(nest.get(Expositions), port, host),
          'METRICS_PORT',
          port,
          host,
        );
      }
      if (config.ROLE !== 'api') {
        const start = () => nest.get(Dispatcher, { strict: false }).start();
        if (schema.fault === null) {
          await start();
        } else {
          // It listens meanwhile, so that it can say that it is not ready.
          void schema
            .whenFit()
            .then(() => (draining.active ? undefined : start()))
            .catch(exitFatally);
        }
      }
    },
    async close() {
      draining.begin();
      await nest.close();
      await Promise.all([metricsServer?.close(), tracing.close()]);
    },
  };
}

/** The console, where it is served: not by workers, not when it is switched off or was not built. */
function consoleOf(
  config: Config,
  developmentKey: string | null,
  logger: Logger,
): DynamicModule | null {
  if (!config.CONSOLE || config.ROLE === 'worker') {
    return null;
  }
  const files = ConsoleFiles.read(publicPrefix(config));
  if (files === null) {
    logger.warn('the console is not built, so it is not served: npm start builds it');
    return null;
  }
  return ConsoleModule.serving(files, config, developmentKey);
}

/**
 * The tasks that come with the service, and those of `TASKS_DIR`. A wrong manifest is an error in the
 * log, and the others are offered all the same.
 * @throws ConfigError when `TASKS_DIR` is no folder that can be read
 */
async function loadCatalogue(config: Config, logger: Logger): Promise<TaskCatalogue> {
  const builtIn = await loadTasks(TASKS_FOLDER);
  if (config.TASKS_DIR === undefined) {
    return builtIn;
  }
  const { catalogue, wrong, odd } = await loadManifests(config.TASKS_DIR, builtIn).catch(() => {
    throw new ConfigError('TASKS_DIR: must be a folder that the service can read');
  });
  for (const { file, faults } of wrong) {
    logger.error(
      { context: 'Manifests', file, faults },
      'a manifest is wrong; its task is left out',
    );
  }
  for (const { file, faults } of odd) {
    logger.warn({ context: 'Manifests', file, faults }, 'a manifest is odd; its task is offered');
  }
  return catalogue;
}
