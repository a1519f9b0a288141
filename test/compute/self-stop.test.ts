import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { ScheduleModule } from '@nestjs/schedule';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { Dispatcher } from '../../src/compute/worker/dispatcher.js';
import { ComputeModule } from '../../src/compute/compute.module.js';
import { defineTask, type Task } from '../../src/compute/task.js';
import { TaskCatalogue } from '../../src/compute/catalogue/task-catalogue.js';
import { LocalStarts } from '../../src/jobs/lease/local-starts.js';
import { UsageMeter } from '../../src/jobs/limits/usage-meter.js';
import { SubmitStore } from '../../src/jobs/submit/submit.store.js';
import { NO_OPTIONS } from '../../src/jobs/job/job.js';
import { TendStore } from '../../src/jobs/care/tend.store.js';
import { loadConfig } from '../../src/platform/config.js';
import { Database } from '../../src/platform/database/database.js';
import { AllowedMethods } from '../../src/platform/http/paths/allowed-methods.js';
import { NoTracing } from '../../src/platform/tracing/tracing.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { SchemaState } from '../../src/platform/database/schema/schema-state.js';
import { Draining } from '../../src/platform/http/connections/draining.js';
import { PlatformModule } from '../../src/platform/platform.module.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { ACTOR } from '../support/jobs.js';
import { StallingProxy } from '../support/stalling-proxy.js';

const LEASE_SECONDS = 3;
const TICK_MS = 20;

class TestModule {}

/** A worker whose way to the database can be cut; the test has its own. */
describe('a worker that is cut off from the database', () => {
  /** What the task did: the attempt, and when, on the monotonic clock. */
  const ticks: { attempt: number; at: number }[] = [];
  let test: TestDatabase;
  let database: Database;
  let owner: pg.Pool;
  let tending: TendStore;
  let proxy: StallingProxy;
  let worker: INestApplicationContext;

  const ticking = defineTask({
    topic: 'test',
    name: 'ticking',
    displayName: 'Ticking',
    version: '1.0.0',
    description: 'Has an effect until it is stopped.',
    parameters: z.strictObject({}),
    results: z.strictObject({}),
    example: {},
    runner: 'inline',
    timeoutSeconds: 600,
    async run(_parameters, { attempt, signal }) {
      for (;;) {
        signal.throwIfAborted();
        ticks.push({ attempt, at: performance.now() });
        await sleep(TICK_MS, undefined, { signal });
      }
    },
  });

  beforeEach(async () => {
    ticks.length = 0;
    test = await createTestDatabase();
    database = new Database({ url: test.url, poolSize: 3 });
    owner = new pg.Pool({ connectionString: test.url, max: 3 });
    tending = new TendStore(database);
    proxy = await StallingProxy.open(test.url);
    const config = loadConfig({
      ROLE: 'worker',
      LEASE_SECONDS: String(LEASE_SECONDS),
      SHUTDOWN_SECONDS: '0',
    });
    const catalogue = new TaskCatalogue([{ task: ticking as unknown as Task, moduleUrl: '' }]);
    const urls = { url: proxy.url, requestUrl: proxy.url };
    const parts = { config, database: urls, draining: new Draining(), schema: new SchemaState() };
    worker = await NestFactory.createApplicationContext(
      {
        module: TestModule,
        imports: [
          ScheduleModule.forRoot(),
          PlatformModule.forRoot({
            ...parts,
            allowedMethods: new AllowedMethods(),
            metrics: new Metrics(false),
            tracing: new NoTracing(),
          }),
          ComputeModule.forRole('worker', catalogue),
        ],
      },
      { logger: false },
    );
    await worker.get(Dispatcher, { strict: false }).start();
  });
  afterEach(async () => {
    proxy?.resume();
    await worker?.close();
    proxy?.close();
    await Promise.all([database?.onApplicationShutdown(), owner?.end()]);
    await test?.drop();
  });

  async function submit(): Promise<string> {
    const jobId = uuidv7();
    const key = { jobId, orgId: randomUUID(), topic: 'test', task: 'ticking' };
    const job = { ...key, maxAttempts: 1, parameters: '{}', options: NO_OPTIONS, by: ACTOR };
    await new SubmitStore(database, new UsageMeter(database), new LocalStarts()).create(job);
    return jobId;
  }

  /** Waits for another replica to take the job from the worker. @returns when, and the lease's end */
  async function reaped(jobId: string): Promise<{ at: number; leaseEnd: number }> {
    for (;;) {
      const { rows } = await owner.query<{ silent: number }>(
        `SELECT extract(epoch FROM clock_timestamp() - beat_at)::float8 AS silent FROM workers`,
      );
      const leaseEnd = performance.now() + (LEASE_SECONDS - (rows[0]?.silent ?? 0)) * 1_000;
      const tended = await tending.tend(LEASE_SECONDS);
      if (tended.some((job) => job.jobId === jobId && job.transition === 'reap')) {
        return { at: performance.now(), leaseEnd };
      }
      await sleep(50);
    }
  }

  /** The claim is held up at the worker's row, until the way back is cut. */
  async function submitToAClaimWithoutAnswer(): Promise<string> {
    const holder = await owner.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM workers FOR UPDATE');
      const jobId = await submit();
      await expect
        .poll(
          async () => {
            const { rows } = await owner.query(
              `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                 AND wait_event_type = 'Lock' AND query LIKE '%FROM claim_jobs(%'`,
            );
            return rows.length;
          },
          { timeout: 10_000 },
        )
        .toBe(1);
      proxy.stall('answers');
      await holder.query('COMMIT');
      await expect.poll(() => status(jobId), { timeout: 10_000 }).toBe('in progress');
      return jobId;
    } finally {
      holder.release();
    }
  }

  const status = async (jobId: string): Promise<string> => {
    const { rows } = await owner.query('SELECT status FROM jobs WHERE id = $1', [jobId]);
    return rows[0].status;
  };

  it('has stopped its work before its lease ends, and so before another may start it', async () => {
    const jobId = await submit();
    await expect.poll(() => ticks.length, { timeout: 10_000 }).toBeGreaterThan(0);
    proxy.stall();
    const { at, leaseEnd } = await reaped(jobId);
    await sleep(20 * TICK_MS);
    const last = ticks.at(-1)?.at as number;
    expect(last).toBeLessThan(leaseEnd);
    expect(last).toBeLessThan(at);
  });

  it('does not start what a claim brings that was answered after the lease', async () => {
    const jobId = await submitToAClaimWithoutAnswer();
    await reaped(jobId);
    proxy.resume();
    // It signs on anew, and takes the job once more.
    await expect
      .poll(() => ticks.some(({ attempt }) => attempt === 2), { timeout: 15_000 })
      .toBe(true);
    expect(ticks.filter(({ attempt }) => attempt === 1)).toEqual([]);
  });
});
