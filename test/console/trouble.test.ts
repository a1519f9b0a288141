import { randomUUID } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { Client as Postgres } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, launchBrowser, openPage, signInWith } from '../support/browser.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const REFUSED = /Failed to load resource/;

describe.skipIf(!hasBrowser)('the console in trouble', () => {
  let database: TestDatabase;
  let browser: Browser;

  beforeAll(async () => {
    [database, browser] = await Promise.all([createTestDatabase(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await database?.drop();
  });

  it('says that the service is down, keeps what it shows, and goes on when it is back', async () => {
    const org = randomUUID();
    let service = await startService(database.url);
    try {
      const given = await token(org);
      const client = new Client(service.url, org, given);
      await client.ended(await client.submit('diagnostics/sleep', { seconds: 0 }));
      const { page, faults } = await openPage(browser, service.url, { expected: REFUSED });
      await signInWith(page, `${service.url}/console/${org}/overview`, given);
      await page.getByRole('row', { name: /diagnostics\/sleep/ }).waitFor();
      const { port } = new URL(service.url);
      await service.stop();
      await page.getByText('The service does not answer. Reconnecting').waitFor();
      expect(await page.getByRole('row', { name: /diagnostics\/sleep/ }).count()).toBe(1);
      service = await startService(database.url, { PORT: port });
      await page
        .getByText('The service does not answer')
        .waitFor({ state: 'detached', timeout: 60_000 });
      expect(faults).toEqual([]);
    } finally {
      await service.stop();
    }
  });

  it('says that there are too many requests, waits as long as it is asked to, and goes on', async () => {
    const org = randomUUID();
    const service = await startService(database.url, { RATE_LIMIT_POLLS: '30', ROLE: 'api' });
    try {
      const given = await token(org);
      const { page, faults } = await openPage(browser, service.url, { expected: REFUSED });
      await signInWith(page, `${service.url}/console/${org}/tasks`, given);
      await page.getByRole('heading', { name: 'Tasks' }).waitFor();
      const client = new Client(service.url, org, given);
      while ((await client.get('jobs')).status !== 429);
      await page.getByRole('link', { name: 'Overview' }).click();
      await page
        .getByText(/Too many requests for this organization. Asking again in \d+ s/)
        .waitFor();
      await page.getByRole('heading', { name: 'Workers' }).waitFor({ timeout: 60_000 });
      expect(faults).toEqual([]);
    } finally {
      await service.stop();
    }
  });

  it('tells ages by the clock of the service, where that of the browser is an hour off', async () => {
    const org = randomUUID();
    const service = await startService(database.url);
    try {
      const given = await token(org);
      const client = new Client(service.url, org, given);
      await client.ended(await client.submit('diagnostics/sleep', { seconds: 0 }));
      const { page } = await openPage(browser, service.url);
      await page.clock.install({ time: Date.now() + 3_600_000 });
      await signInWith(page, `${service.url}/console/${org}/jobs`, given);
      await page.locator('.job-row').first().waitFor();
      await expect
        .poll(() => page.locator('.job-row [data-column=created]').first().innerText())
        .toMatch(/^(now|\d+ s ago)$/);
      expect(await page.getByText('Your session ends').count()).toBe(0);
    } finally {
      await service.stop();
    }
  });

  it('scrolls through ten thousand jobs, of which it draws a screenful', async () => {
    const org = randomUUID();
    const connection = new Postgres(database.url);
    await connection.connect();
    // Ids as the service makes them: the newest last.
    await connection.query(
      `WITH job AS (
         INSERT INTO job_submissions (id, org_id, topic, task, created_at)
         SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 20000 + n), 12, '0')
             || '7' || lpad(to_hex(n % 4096), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
           $1, 'diagnostics', 'sleep', now() - (20000 - n) * interval '1 ms'
         FROM generate_series(1, 10000) AS n RETURNING id, org_id
       )
       INSERT INTO job_ends (job_id, org_id, status, started_at, worker_id, attempt, failures, crashes, progress, results, results_bytes)
       SELECT id, org_id, 'succeeded', now(), gen_random_uuid(), 1, 0, 0, 100, '{}', 2 FROM job`,
      [org],
    );
    await connection.end();
    const service = await startService(database.url, { ROLE: 'api' });
    try {
      const { page, faults } = await openPage(browser, service.url);
      await signInWith(page, `${service.url}/console/${org}/jobs`, await token(org));
      await page.locator('.job-row').first().waitFor();
      await expect
        .poll(
          async () => {
            await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
            return page.locator('.table-end').innerText();
          },
          { timeout: 120_000, interval: 20 },
        )
        .toBe('10,000 jobs.');
      expect(await page.locator('.job-row').count()).toBeLessThan(80);
      // A frame is a sixtieth of a second; a machine under test is given ten of them.
      const slowest = await page.evaluate<number>(`new Promise((resolve) => {
        let worst = 0, last = performance.now(), at = 0;
        const step = (now) => {
          worst = Math.max(worst, now - last);
          last = now;
          at += 400;
          window.scrollTo(0, at);
          if (at < 24000) requestAnimationFrame(step); else resolve(worst);
        };
        requestAnimationFrame(step);
      })`);
      console.log(`slowest frame while scrolling: ${slowest.toFixed(0)} ms`);
      expect(slowest).toBeLessThan(1_000);
      expect(faults).toEqual([]);
    } finally {
      await service.stop();
    }
  });
});
