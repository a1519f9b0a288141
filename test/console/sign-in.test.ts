import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDataHome } from '../../src/platform/database/embedded/embedded-postgres.js';
import { EXAMPLE_ORGANIZATION } from '../../src/jobs/job/examples.js';
import {
  expectAccessible,
  hasBrowser,
  launchBrowser,
  openPage,
  signInWith,
} from '../support/browser.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { OidcProvider, RESOURCE, signingKey } from '../support/oidc-provider.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** The browser itself tells of each answer that is an error: what the page is tested for is none of it. */
const REFUSED = /Failed to load resource/;

describe.skipIf(!hasBrowser)('signing in at the console', () => {
  let database: TestDatabase;
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    database = await createTestDatabase();
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

  it('takes a token, shows the page that was asked for, and keeps the token out of the address', async () => {
    const org = randomUUID();
    const { page, faults } = await openPage(browser, service.url);
    const given = await token(org);
    await signInWith(page, `${service.url}/console/${org}/tasks?x=1`, given);
    await page.getByRole('heading', { name: 'Tasks' }).waitFor();
    expect(page.url()).toBe(`${service.url}/console/${org}/tasks?x=1`);
    expect(await page.evaluate<string>('JSON.stringify({ ...localStorage })')).not.toContain(given);
    expect(await page.evaluate<string>('document.cookie')).toBe('');
    await page.reload();
    await page.getByRole('heading', { name: 'Tasks' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate<number>('sessionStorage.length')).toBe(0);
    expect(faults).toEqual([]);
  });

  it('says what is wrong with a token that is not taken', async () => {
    const { page, faults } = await openPage(browser, service.url, { expected: REFUSED });
    await page.goto(`${service.url}/console/`);
    await page.getByRole('button', { name: 'Sign in with a token' }).click();
    await page.getByText('Paste a token first.').waitFor();
    await page.getByLabel('Token').fill('no.token.at-all');
    await page.getByRole('button', { name: 'Sign in with a token' }).click();
    await page.getByText('obtain a new one').waitFor();
    expect(await page.getByRole('button', { name: 'Sign in for development' }).count()).toBe(0);
    await expectAccessible(page);
    expect(faults).toEqual([]);
  });

  it('switches between the organizations of one token, and refuses others', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const { page, faults } = await openPage(browser, service.url);
    await signInWith(page, `${service.url}/console/`, await token([one, other]));
    await expect.poll(() => page.url()).toContain(one);
    await page.getByLabel('Organization').selectOption(other);
    await expect.poll(() => page.url()).toContain(other);
    await page.goto(`${service.url}/console/${randomUUID()}/jobs`);
    await page.getByText('This organization is not in your token').waitFor();
    expect(faults).toEqual([]);
  });

  it('announces the end of a session, and keeps what was typed when it has expired', async () => {
    const org = randomUUID();
    const { page, faults } = await openPage(browser, service.url, { expected: REFUSED });
    await signInWith(
      page,
      `${service.url}/console/${org}/tasks/diagnostics/sleep`,
      await token(org, { expiresIn: 8 }),
    );
    await page.getByText('Your session ends in less than a minute.').waitFor();
    await page.getByLabel('Seconds').fill('12.5');
    await page.getByRole('heading', { name: 'Your session has expired' }).waitFor();
    await expectAccessible(page);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Token').fill(await token(org));
    await dialog.getByRole('button', { name: 'Sign in with a token' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await page.getByLabel('Seconds').inputValue()).toBe('12.5');
    expect(faults).toEqual([]);
  });
});

describe.skipIf(!hasBrowser)('development sign-in', () => {
  const home = temporaryDataHome(process.cwd());
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    // As `npm start` does it: no database, no key.
    [service, browser] = await Promise.all([
      startService('', { AUTH_JWT_SECRET: '', DATA_HOME: home, SHUTDOWN_SECONDS: '1' }),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.end('SIGTERM');
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });

  it('is one click where the service runs on its own database with its own key', async () => {
    const { page, faults } = await openPage(browser, service.url);
    await page.goto(`${service.url}/console/`);
    await page.getByRole('button', { name: 'Sign in for development' }).click();
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    expect(page.url()).toContain(EXAMPLE_ORGANIZATION);
    await page.getByText('No jobs yet').waitFor();
    await expectAccessible(page);
    expect(faults).toEqual([]);
  });

  it('gives nothing to a page of another site, of another name of this machine, or to a mere request', async () => {
    const own = {
      'x-headframe-console': '1',
      'sec-fetch-site': 'same-origin',
      origin: service.url,
    };
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`${service.url}/console/development-token`, { method: 'POST', headers })).status;
    expect(await ask(own)).toBe(200);
    for (const other of [
      {},
      { ...own, 'x-headframe-console': '' },
      { ...own, 'sec-fetch-site': 'cross-site' },
      { ...own, 'sec-fetch-site': 'same-site' },
      { ...own, origin: 'https://evil.example' },
      { ...own, origin: 'null' },
    ]) {
      expect(await ask(other)).toBe(403);
    }
    // A name that its owner lets lead here is an origin of its own, and its page "same-origin".
    const { status } = await withHost(service.url, 'rebound.example', own);
    expect(status).toBe(403);
    const preflight = await fetch(`${service.url}/console/development-token`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});

/** A request to the service under another name. */
async function withHost(url: string, host: string, headers: Record<string, string>) {
  const { request } = await import('node:http');
  return new Promise<{ status: number | undefined }>((resolve, reject) => {
    request(`${url}/console/development-token`, {
      method: 'POST',
      headers: { ...headers, host, origin: `http://${host}` },
    })
      .on('response', (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode });
      })
      .on('error', reject)
      .end();
  });
}

describe.skipIf(!hasBrowser)('sign-in at an identity provider', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let provider: OidcProvider;
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    database = await createTestDatabase();
    const key = await signingKey('one');
    provider = await OidcProvider.start([key], [org]);
    [service, browser] = await Promise.all([
      startService(database.url, {
        ROLE: 'api',
        AUTH_JWT_SECRET: '',
        AUTH_ISSUER: provider.issuer,
        AUTH_AUDIENCE: RESOURCE,
        AUTH_ORGS_CLAIM: 'tenant.organizations',
        AUTH_SCOPE_READ: 'tasks.read',
        AUTH_SCOPE_EXECUTE: 'tasks.run',
        AUTH_TOKEN_TYPE: 'at+jwt',
        CONSOLE_CLIENT_ID: 'headframe-console',
        CONSOLE_SCOPE: 'openid tasks.read tasks.run',
      }),
      launchBrowser(),
    ]);
    await provider.serve([key], `${service.url}/console/callback`);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await provider?.stop();
    await database?.drop();
  });

  it('goes by code and PKCE, and comes back to the page that was asked for', async () => {
    const { page, faults } = await openPage(browser, service.url, {
      // The provider's own page is of another host.
      expected: /^asked /,
    });
    await page.goto(`${service.url}/console/${org}/tasks`);
    await page.getByRole('button', { name: 'Sign in with your organization' }).click();
    await page.waitForURL(/interaction/);
    expect(new URL(page.url()).origin).toBe(provider.issuer);
    await page.fill('input[name=login]', 'ada');
    await page.fill('input[name=password]', 'any');
    await page.click('button[type=submit]');
    await page.click('button[type=submit]');
    await page.getByRole('heading', { name: 'Tasks' }).waitFor();
    expect(page.url()).toBe(`${service.url}/console/${org}/tasks`);
    expect(await page.getByRole('link', { name: 'Administration' }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('takes no answer that this tab did not ask for', async () => {
    const { page } = await openPage(browser, service.url);
    await page.goto(`${service.url}/console/callback?code=stolen&state=guessed`);
    await page.getByText('was not begun in this tab').waitFor();
    expect(page.url()).not.toContain('stolen');
  });

  it('exchanges codes for nobody but the page of the console, and says when one is refused', async () => {
    const ask = (headers: Record<string, string>, body: object) =>
      fetch(`${service.url}/console/provider/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    const own = {
      'x-headframe-console': '1',
      'sec-fetch-site': 'same-origin',
      origin: service.url,
    };
    const body = {
      code: 'wrong',
      code_verifier: 'v'.repeat(43),
      redirect_uri: `${service.url}/console/callback`,
    };
    expect((await ask({ ...own, 'sec-fetch-site': 'cross-site' }, body)).status).toBe(403);
    expect((await ask(own, { ...body, code_verifier: 'short' })).status).toBe(422);
    expect((await ask(own, { ...body, code: 'x'.repeat(20_000) })).status).toBe(413);
    const refused = await ask(own, body);
    expect(refused.status).toBe(401);
    expect(await refused.text()).toContain('begin again');
  });
});
