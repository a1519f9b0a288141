import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { Client as Postgres } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/platform/ids/new-id.js';
import { hasBrowser, launchBrowser, openPage, signInWith } from '../support/browser.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const SIDE = 1_000;

describe.skipIf(!hasBrowser)('a kriging of a million blocks', () => {
  const org = randomUUID();
  const id = newId();
  let database: TestDatabase;
  let service: Service;
  let browser: Browser;
  let bytes: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    bytes = await storeJob(database.url, org, id);
    [service, browser] = await Promise.all([
      startService(database.url, { ROLE: 'api' }),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await database?.drop();
  });

  it('is drawn soon after its results have arrived, and the page answers meanwhile', async () => {
    const { page, faults } = await openPage(browser, service.url);
    const path = `${service.url}/console/${org}/jobs/geostatistics/kriging/${id}`;
    await page.addInitScript(`
      globalThis.longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
      }).observe({ type: 'longtask', buffered: true });`);
    await signInWith(page, path, await token(org));
    const map = page.getByRole('img', { name: /^Map of Estimate: 989,690 cells from/ });
    await map.waitFor({ timeout: 120_000 });
    await expect.poll(() => map.getAttribute('data-drawn')).toBe('true');
    const told = await page.evaluate<{ drawn: number; longest: number }>(`({
      drawn: performance.getEntriesByName('map drawn')[0].startTime
        - performance.getEntriesByName('document arrived').at(-1).startTime,
      longest,
    })`);
    console.log(
      `${(bytes / 1e6).toFixed(0)} MB: drawn ${told.drawn.toFixed(0)} ms after they arrived; longest task ${told.longest.toFixed(0)} ms`,
    );
    // Two seconds are the goal on a machine that does nothing else: tests run beside each other.
    expect(told.drawn).toBeLessThan(10_000);
    expect(told.longest).toBeLessThan(3_000);
    const [download] = await Promise.all([
      page.waitForEvent('download', { timeout: 60_000 }),
      page
        .getByRole('region', { name: 'Results' })
        .getByRole('button', { name: 'Download' })
        .click(),
    ]);
    expect((await stat(await download.path())).size).toBe(bytes);
    expect(faults).toEqual([]);
  });
});

/** A job as it is when it has succeeded. @returns the bytes of the answer with its results */
async function storeJob(url: string, org: string, id: string): Promise<number> {
  const wave = (scale: number) =>
    Array.from({ length: SIDE * SIDE }, (_, cell) =>
      cell % 97 === 0
        ? null
        : 5 + Math.sin((cell % SIDE) / scale) * Math.cos(Math.floor(cell / SIDE) / scale),
    );
  const parameters = JSON.stringify({
    source: { coordinates: [[400_500, 6_500_500]], values: [5] },
    target: { grid: { origin: [400_000, 6_500_000], spacing: [10, 10], size: [SIDE, SIDE] } },
  });
  const results = JSON.stringify({
    message: 'Estimated a million cells',
    target: { values: wave(31), variances: wave(77) },
  });
  const connection = new Postgres(url);
  await connection.connect();
  await connection.query(
    `INSERT INTO job_submissions (id, org_id, topic, task, parameters, parameters_bytes)
     VALUES ($1, $2, 'geostatistics', 'kriging', $3, $4)`,
    [id, org, parameters, parameters.length],
  );
  await connection.query(
    `INSERT INTO job_ends (job_id, org_id, status, started_at, worker_id, attempt, failures, crashes, progress)
     VALUES ($1, $2, 'succeeded', now(), gen_random_uuid(), 1, 0, 0, 100)`,
    [id, org],
  );
  await connection.query(
    'INSERT INTO job_results (job_id, org_id, results, bytes) VALUES ($1, $2, $3, $4)',
    [id, org, results, results.length],
  );
  await connection.end();
  return Buffer.byteLength(`{"status":"succeeded","results":${results}}`);
}
