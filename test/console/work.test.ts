import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  expectAccessible,
  hasBrowser,
  launchBrowser,
  openPage,
  signInWith,
} from '../support/browser.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const ALL = 'compute:read compute:execute compute:admin';

describe.skipIf(!hasBrowser)('work in the console', () => {
  let database: TestDatabase;
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    database = await createTestDatabase();
    [service, browser] = await Promise.all([
      startService(database.url, { WORKER_SLOTS: '2' }),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await database?.drop();
  });

  /** An organization of its own, and a page that is signed in to it. */
  async function signedIn(path: string, scope = ALL, options: { colorScheme?: 'dark' } = {}) {
    const org = randomUUID();
    const given = await token(org, { scope });
    const client = new Client(service.url, org, await token(org, { scope: ALL }));
    const { page, faults } = await openPage(browser, service.url, options);
    await signInWith(page, `${service.url}/console/${org}/${path}`, given);
    return { org, page, faults, client };
  }
  const rows = (page: Page) => page.locator('.job-row');

  it('runs kriging from its form, watches it, and shows the map', async () => {
    const { page, faults } = await signedIn('tasks');
    await page.getByLabel('Search the tasks').fill('kriging');
    await page.getByRole('link', { name: 'Kriging', exact: true }).click();
    await page.getByRole('button', { name: 'Load the Meuse example' }).click();
    await page.getByText('155 rows').waitFor();
    await page.getByLabel('Labels').fill('project: meuse');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Run task' }).click();
    const map = page.getByRole('img', {
      name: /^Map of Estimate: 3,103 points from 4\.\d+ to 7\.\d+; 155 samples over it$/,
    });
    await map.waitFor();
    await page.getByRole('img', { name: /^Map of Variance: 3,103 points/ }).waitFor();
    await expect.poll(() => map.getAttribute('data-drawn')).toBe('true');
    await map.hover({ position: { x: 200, y: 220 } });
    await page
      .getByText(/ at [\d.]+, /)
      .first()
      .waitFor();
    await page.getByText('Estimated 3103 of 3103 points').first().waitFor();
    await page.getByText('project: meuse').waitFor();
    await expectAccessible(page);
    expect(faults).toEqual([]);
  });

  it('shows what the service refuses at the field, and keeps what was typed', async () => {
    const { page, faults } = await signedIn('tasks/geostatistics/variogram');
    await page.getByRole('button', { name: 'Load the small example' }).click();
    await page.getByLabel('Lag', { exact: true }).fill('-20');
    await page.getByLabel('Cutoff').fill('eighty');
    await page.getByRole('button', { name: 'Run task' }).click();
    const lag = page.getByLabel('Lag', { exact: true });
    await expect.poll(() => lag.getAttribute('aria-invalid')).toBe('true');
    const described = (await lag.getAttribute('aria-describedby')) ?? '';
    const [, fault = ''] = described.split(' ');
    expect(await page.locator(`[id="${fault}"]`).innerText()).not.toBe('');
    expect(await page.getByLabel('Cutoff').inputValue()).toBe('eighty');
    await page.getByRole('button', { name: 'JSON' }).click();
    expect(await page.getByLabel('Parameters as JSON').inputValue()).toContain(
      '"cutoff": "eighty"',
    );
    expect(faults.filter((fault_) => !fault_.includes('422'))).toEqual([]);
  });

  it('finds a job that spins in the table, and cancels it', async () => {
    const { page, faults, client } = await signedIn('jobs');
    await page.getByText('No jobs yet').waitFor();
    const job = await client.submit('diagnostics/spin', { seconds: 600 });
    await client.waitFor(job, ({ status }) => status === 'in progress');
    await rows(page).getByText('Running').waitFor();
    await rows(page).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Cancel …' }).click();
    await page.getByRole('button', { name: 'Cancel 1 job' }).click();
    await page.getByText('1 job canceled.').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await rows(page).getByText('Canceled').waitFor();
    expect((await client.ended(job)).status).toBe('canceled');
    expect(faults).toEqual([]);
  });

  it('cancels a job on its own page, runs it again, and runs it with changes', async () => {
    const { org, page, faults, client } = await signedIn('jobs');
    const job = await client.submit('diagnostics/sleep', { seconds: 300, steps: 3 });
    const id = job.split('/').at(-1);
    await page.goto(`${service.url}/console/${org}/jobs/diagnostics/sleep/${id}`);
    await page.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByText('Canceled').first().waitFor();
    await page.getByRole('button', { name: 'Run again' }).click();
    await expect.poll(() => page.url()).not.toContain(id);
    await page.getByText(`rerun-of: ${id}`).waitFor();
    await page.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByRole('link', { name: 'Change and run' }).click();
    const seconds = page.getByLabel('Seconds');
    await seconds.waitFor();
    expect(await seconds.inputValue()).toBe('300');
    await seconds.fill('0.1');
    await page.getByRole('row', { name: 'seconds 300 0.1' }).waitFor();
    await page.getByRole('button', { name: 'Run task' }).click();
    await page.getByText('Succeeded').first().waitFor();
    expect(faults).toEqual([]);
  });

  it('keeps filters in the address: a link shows the same to others, and back goes back', async () => {
    const { org, page, faults, client } = await signedIn('jobs');
    const labelled = (project: string) => ({ labels: { project } });
    const done = await client.submit('diagnostics/sleep', { seconds: 0 }, labelled('a'));
    await client.submit('diagnostics/sleep', { seconds: 0 }, labelled('b'));
    await client.ended(done);
    await expect.poll(() => rows(page).count()).toBe(2);
    await page.getByLabel('Search by id').fill('project:a');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect.poll(() => rows(page).count()).toBe(1);
    await page.getByRole('button', { name: /turn around/ }).click();
    await rows(page).getByText('project: b').waitFor();
    await page.getByRole('button', { name: /^Succeeded/ }).click();
    const address = page.url();
    expect(address).toContain('exclude_label=project%3Aa');
    expect(address).toContain('status=succeeded');
    await page.goBack();
    expect(page.url()).not.toContain('status=');
    const other = await openPage(browser, service.url);
    await signInWith(other.page, address, await token(org));
    await rows(other.page).getByText('project: b').waitFor();
    expect(await rows(other.page).count()).toBe(1);
    expect([...faults, ...other.faults]).toEqual([]);
  });

  it('shows who may only read no button that would fail', async () => {
    const { org, page, faults, client } = await signedIn('jobs', 'compute:read');
    const job = await client.submit('diagnostics/sleep', { seconds: 0 });
    await client.ended(job);
    await rows(page).first().waitFor();
    expect(await page.getByRole('checkbox').count()).toBe(0);
    expect(await page.getByRole('button', { name: /Cancel …|Run again …|Delete …/ }).count()).toBe(
      0,
    );
    expect(await page.getByRole('link', { name: 'Administration' }).count()).toBe(0);
    await rows(page).getByRole('link').click();
    await page.getByRole('heading', { name: 'Time line' }).waitFor();
    expect(await page.getByRole('button', { name: /Run again|Cancel job|Delete/ }).count()).toBe(0);
    await page.goto(`${service.url}/console/${org}/tasks/diagnostics/sleep`);
    await page.getByText('Your token may not run tasks').waitFor();
    expect(faults).toEqual([]);
  });

  it('shows hostile texts as texts', async () => {
    const { page, faults, client } = await signedIn('jobs');
    const evil = '<img src=x onerror="document.title=1"><script>alert(1)</script>';
    const job = await client.submit(
      'diagnostics/sleep',
      {
        seconds: 0,
        fail: {
          status: 422,
          title: evil,
          detail: `${'w'.repeat(900)} \u202e${evil} javascript:alert(1)`,
        },
      },
      { labels: { html: evil.slice(0, 60), rtl: 'مرحبا \u202eabc' } },
    );
    await client.ended(job);
    await rows(page).getByText('<img src=x').first().waitFor();
    await rows(page).getByRole('link').first().click();
    await page.getByRole('heading', { name: '<img src=x' }).waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    // No text, however long its words, makes the page wider than the window.
    expect(
      await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      ),
    ).toBeLessThanOrEqual(0);
    await expectAccessible(page);
    expect(faults).toEqual([]);
  });

  it('is accessible on every page in the dark, and shows how the work goes', async () => {
    const { org, page, faults, client } = await signedIn('overview', ALL, { colorScheme: 'dark' });
    const failed = await client.submit('diagnostics/sleep', { seconds: 0, fail: true });
    await client.ended(failed);
    for (const [path, heading] of [
      ['overview', 'Workers'],
      ['jobs', 'Jobs'],
      ['tasks', 'Tasks'],
      ['admin', 'Who did what'],
      ['tasks/geostatistics/kriging', 'Kriging'],
      [`jobs/diagnostics/sleep/${failed.split('/').at(-1)}`, 'The task failed.'],
    ] as const) {
      await page.goto(`${service.url}/console/${org}/${path}`);
      await page.getByRole('heading', { name: heading, exact: true }).waitFor();
      await expectAccessible(page);
    }
    await page.goto(`${service.url}/console/${org}/overview`);
    await page.getByRole('row', { name: /diagnostics\/sleep 1 1 100\.0 %/ }).waitFor();
    await page.getByText('1 worker, 2 slots; 0 leases lost').waitFor();
    expect(faults).toEqual([]);
  });
});
