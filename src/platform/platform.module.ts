import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CONFIG, type Config, metricsPlace } from './config.js';
import { Database } from './database/database.js';
import type { ServiceUrls } from './database/schema/open-database.js';
import { SchemaState } from './database/schema/schema-state.js';
import { SchemaWatch } from './database/schema/schema-watch.js';
import { poolShares } from './database/pool-shares.js';
import { HealthController } from './health/health.controller.js';
import { AllowedMethods } from './http/paths/allowed-methods.js';
import { Draining } from './http/connections/draining.js';
import { AddressRates } from './rate-limit/address-rates.js';
import { RequestBuckets } from './rate-limit/request-buckets.js';
import { JsonBodies } from './http/body/json-body.js';
import { ProblemFilter } from './http/problem.filter.js';
import { DatabaseMetrics } from './metrics/database-metrics.js';
import { Expositions } from './metrics/exposition.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { Metrics } from './metrics/metrics.js';
import { Tracing } from './tracing/tracing.js';

/** What is made before the application, and everything in it may use. */
export interface PlatformParts {
  readonly config: Config;
  readonly database: ServiceUrls;
  readonly draining: Draining;
  readonly schema: SchemaState;
  readonly allowedMethods: AllowedMethods;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
}

/** Configuration, database, problems and health: knows no word of jobs or tasks. */
@Global()
@Module({})
export class PlatformModule {
  static forRoot(parts: PlatformParts): DynamicModule {
    const { config, database, metrics } = parts;
    const databaseMetrics = new DatabaseMetrics(metrics);
    return {
      module: PlatformModule,
      controllers: [
        HealthController,
        ...(metricsPlace(config) === 'main port' ? [MetricsController] : []),
      ],
      providers: [
        { provide: CONFIG, useValue: config },
        {
          provide: Database,
          useFactory: () =>
            new Database({
              url: database.url,
              requestUrl: database.requestUrl,
              directUrl: database.directUrl,
              ...poolShares(config.ROLE, config.DATABASE_POOL_SIZE),
              metrics: databaseMetrics,
            }),
        },
        { provide: Metrics, useValue: metrics },
        { provide: Tracing, useValue: parts.tracing },
        { provide: Expositions, useValue: new Expositions(metrics) },
        { provide: Draining, useValue: parts.draining },
        { provide: SchemaState, useValue: parts.schema },
        SchemaWatch,
        { provide: AllowedMethods, useValue: parts.allowedMethods },
        RequestBuckets,
        AddressRates,
        JsonBodies,
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
      exports: [
        CONFIG,
        Database,
        Metrics,
        Tracing,
        Expositions,
        Draining,
        SchemaState,
        AllowedMethods,
        RequestBuckets,
        AddressRates,
        JsonBodies,
      ],
    };
  }
}
