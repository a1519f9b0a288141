// npm run screenshots: writes docs/images/console-*.png, from a service of its own with some jobs in it.
// Needs Debian's chromium.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs/images');
const temporary = join(root, '.headframe/temporary');
const ORG = '5eed0000-0000-4000-8000-000000000001';

mkdirSync(temporary, { recursive: true, mode: 0o711 });
const home = mkdtempSync(join(temporary, 'screenshots-'));
// The embedded database runs as another user, when this is root.
chmodSync(home, 0o711);
const service = spawn(process.execPath, [join(root, 'dist/main.js')], {
  env: { PATH: process.env.PATH, PORT: '0', DATA_HOME: home, SHUTDOWN_SECONDS: '1' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const url = await listening();
  const page = await open({ width: 1280, height: 800 });
  await page.goto(`${url}/console/`);
  await page.getByRole('button', { name: 'Sign in for development' }).click();
  await page.getByText('No jobs yet').waitFor();
  await fill(page, url);

  await page.goto(`${url}/console/${ORG}/jobs`);
  await page.getByText('Waiting 3').waitFor();
  await shoot(page, 'console-jobs');
  await page.goto(`${url}/console/${ORG}/jobs?task=geostatistics/kriging&status=succeeded`);
  await page.locator('.job-row a').first().click();
  await page.locator('canvas[data-drawn]').nth(1).waitFor();
  await shoot(page, 'console-map');
  await page.goto(`${url}/console/${ORG}/overview`);
  await page.getByRole('heading', { name: 'Workers' }).waitFor();
  await shoot(page, 'console-overview');
  await page.goto(`${url}/console/${ORG}/tasks/geostatistics/kriging`);
  await page.getByRole('button', { name: 'Load the Meuse example' }).click();
  await page.getByText('155 rows').waitFor();
  await shoot(page, 'console-form');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${url}/console/${ORG}/jobs`);
  await page.locator('.job-row').first().waitFor();
  await shoot(page, 'console-phone');
} finally {
  await browser.close();
  service.kill('SIGTERM');
  await new Promise((resolve) => service.once('exit', resolve));
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

/** @returns {Promise<string>} the address of the service */
function listening() {
  let output = '';
  return new Promise((resolve, reject) => {
    service.once('exit', () => reject(new Error(`The service did not start:\n${output}`)));
    service.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const url = /"url":"([^"]+)"[^\n]*"msg":"listening"/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

/** @param {{ width: number, height: number }} viewport */
async function open(viewport) {
  const context = await browser.newContext({ viewport, colorScheme: 'light' });
  return context.newPage();
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shoot(page, name) {
  // Fonts, pictures and figures of the last request.
  await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined);
  await page.screenshot({ path: join(images, `${name}.png`) });
}

/**
 * Jobs of many kinds, as a shop has them.
 * @param {import('playwright-core').Page} page signed in @param {string} url
 */
async function fill(page, url) {
  const token = await page.evaluate("sessionStorage.getItem('headframe.token')");
  /** @param {string} task @param {object} parameters @param {object} options */
  const submit = async (task, parameters, options = {}) => {
    const answer = await fetch(`${url}/compute/orgs/${ORG}/${task}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ parameters, options }),
      redirect: 'manual',
    });
    if (answer.status !== 303) throw new Error(await answer.text());
  };
  await page.goto(`${url}/console/${ORG}/tasks/geostatistics/kriging`);
  await page.getByRole('button', { name: 'Load the Meuse example' }).click();
  await page.getByText('155 rows').waitFor();
  await page.getByLabel('Labels').fill('project: meuse, metal: zinc');
  await page.getByRole('button', { name: 'Run task' }).click();
  await page.locator('canvas[data-drawn]').first().waitFor();
  for (let n = 0; n < 30; n += 1) {
    await submit(
      'diagnostics/sleep',
      { seconds: 0.05 * (n % 4), steps: 2, ...(n % 11 === 5 && { fail: true }) },
      {
        labels: {
          project: ['meuse', 'walker-lake', 'jura'][n % 3],
          shift: n % 2 ? 'night' : 'day',
        },
      },
    );
  }
  await page.goto(`${url}/console/${ORG}/jobs`);
  await page.getByText('Waiting 0').waitFor();
  await submit('diagnostics/sleep', { seconds: 900, steps: 90 }, { labels: { project: 'jura' } });
  await submit('diagnostics/spin', { seconds: 900 }, { labels: { project: 'walker-lake' } });
  for (let n = 0; n < 2; n += 1) {
    await submit('diagnostics/sleep', { seconds: 5, steps: 5 }, { labels: { project: 'meuse' } });
  }
  const later = new Date(Date.now() + 3_600_000).toISOString();
  await submit(
    'diagnostics/sleep',
    { seconds: 1 },
    { run_after: later, labels: { shift: 'night' } },
  );
}
