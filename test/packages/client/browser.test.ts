import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'rolldown';
import { expect, it } from 'vitest';
import { EXAMPLE_ORGANIZATION } from '../../../src/jobs/job/examples.js';
import { createTestDatabase } from '../../support/database.js';
import { startService } from '../../support/service.js';
import { token } from '../../support/tokens.js';

const CHROMIUM = '/usr/bin/chromium';
const CLIENT = fileURLToPath(new URL('../../../packages/client/dist/index.js', import.meta.url));

/** More followers than a browser has connections to a service by HTTP/1.1. */
const FOLLOWERS = 12;

/** The client as a page gets it: one module. */
async function bundledClient(): Promise<string> {
  const { output } = await build({ input: CLIENT, platform: 'browser', write: false });
  return output[0].code;
}

it.skipIf(!existsSync(CHROMIUM))(
  'in a real browser, from another origin, many jobs are followed at once',
  async () => {
    const code = await bundledClient();
    const site = createServer((request, response) => {
      const isModule = request.url === '/client.js';
      response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html');
      response.end(
        isModule ? code : '<!doctype html><title>Page</title><link rel=icon href=data:,>',
      );
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    const database = await createTestDatabase();
    const service = await startService(database.url, { CORS_ORIGINS: origin, WORKER_SLOTS: '4' });
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    try {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on('pageerror', ({ message }) => faults.push(message));
      page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
      await page.goto(origin);
      const settings = {
        url: service.url,
        org: EXAMPLE_ORGANIZATION,
        token: await token(EXAMPLE_ORGANIZATION),
      };
      const program = `(async () => {
        const { HeadframeClient } = await import('/client.js');
        const client = new HeadframeClient(${JSON.stringify(settings)});
        const runs = Array.from({ length: ${FOLLOWERS} }, () =>
          client.run('diagnostics/sleep', { seconds: 0.5, steps: 2 }));
        return (await Promise.all(runs)).map(({ steps }) => steps);
      })()`;
      expect(await page.evaluate(program)).toEqual(Array.from({ length: FOLLOWERS }, () => 2));
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      await service.stop();
      await database.drop();
      site.close();
      site.closeAllConnections();
    }
  },
);
