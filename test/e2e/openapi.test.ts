import { existsSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLE_ORGANIZATION } from '../../src/jobs/job/examples.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

interface Operation {
  readonly operationId: string;
  readonly security?: unknown[];
  readonly requestBody?: {
    content: { 'application/json': { examples: Record<string, { value: unknown }> } };
  };
  readonly responses: Record<string, { headers: object; content?: object }>;
}

const CHROMIUM = '/usr/bin/chromium';

describe('the OpenAPI document', () => {
  const org = EXAMPLE_ORGANIZATION;
  let database: TestDatabase;
  let service: Service;
  let client: Client;
  let document: { openapi: string; paths: Record<string, Record<string, Operation>> };

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url);
    client = new Client(service.url, org, await token(org));
    document = (await client.get('/openapi.json')).body;
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    );

  it('is valid OpenAPI 3.1 by an independent validator', async () => {
    expect(document.openapi).toBe('3.1.1');
    expect(await new Validator().validate(document)).toEqual({ valid: true });
  });

  it('describes every route with its problems, headers and a bearer token where one is needed', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        'executeTask',
        'getJobStatus',
        'getJobResults',
        'cancelJob',
        'listTasks',
      ]),
    );
    for (const { path, operation } of operations()) {
      expect(operation.security).toEqual(
        path.startsWith('/compute/')
          ? [{ bearer: [expect.stringMatching(/^compute:/)] }]
          : undefined,
      );
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(response.headers).toHaveProperty('X-Request-Id');
        if (Number(status) >= 400) {
          expect(Object.keys(response.content ?? {})).toEqual(['application/problem+json']);
        }
      }
    }
    const execute = document.paths['/compute/orgs/{org_id}/{topic}/{task}']?.post as Operation;
    expect(execute.responses['303']?.headers).toHaveProperty('Location');
    expect(execute.responses['303']).not.toHaveProperty('content');
    expect(execute.responses['503']?.headers).toHaveProperty('Retry-After');
  });

  it('has an example for every task that executes and succeeds', async () => {
    const executes = operations().filter(
      ({ path, operation }) =>
        operation.operationId.startsWith('execute') && !path.endsWith('/batch'),
    );
    expect(executes.length).toBe(7);
    for (const { path, operation } of executes) {
      const task = path.includes('{topic}')
        ? 'diagnostics/sleep'
        : path.split('/').slice(-2).join('/');
      if (task === 'diagnostics/spin') {
        continue;
      }
      for (const { value } of Object.values(
        operation.requestBody?.content['application/json'].examples ?? {},
      )) {
        const answer = await client.execute(task, value);
        expect(answer.status).toBe(303);
        const job = (answer.headers.get('location') as string).replace(/\/status$/, '');
        expect((await client.ended(job)).status).toBe('succeeded');
      }
    }
  });

  it('is kept out of nobody’s way: the root page leads to it', async () => {
    const page = await fetch(service.url);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('href="docs"');
  });

  it.skipIf(!existsSync(CHROMIUM))(
    'works in a real browser: authorize, and try it out',
    async () => {
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      });
      try {
        const page = await browser.newPage();
        const faults: string[] = [];
        page.on('pageerror', ({ message }) => faults.push(message));
        page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
        await page.goto(`${service.url}/docs`);
        await page.click('.authorize');
        await page.fill('.auth-container input', await token([org, randomUUID()]));
        await page.click('.auth-btn-wrapper .authorize');
        await page.click('.btn-done');
        const operation = page.locator('[id$="executeGeostatisticsKriging"]').first();
        await operation.locator('.opblock-summary').click();
        await operation.locator('.btn.execute').click();
        const answer = operation.locator('.live-responses-table').first();
        await answer.waitFor();
        expect(await answer.innerText()).toMatch(/"status": "(requested|in progress|succeeded)"/);
        expect(faults).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );
});
