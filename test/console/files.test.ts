import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database?.drop();
});

describe('the files of the console', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(database.url, {
      ROLE: 'api',
      AUTH_SCOPE_READ: 'tasks.read',
      CORS_ORIGINS: 'https://elsewhere.example',
    });
  });
  afterAll(async () => {
    await service?.stop();
  });

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(service.url + path, { headers, redirect: 'manual' });

  it('are led to by the first page of the service', async () => {
    expect(await (await get('/')).text()).toContain('href="console/"');
    const lead = await get('/console');
    expect(lead.status).toBe(308);
    expect(lead.headers.get('location')).toBe('/console/');
  });

  it('come with a policy that lets in no script, style or request of elsewhere', async () => {
    const page = await get('/console/');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(await page.text()).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
  });

  it('are kept by browsers for ever where their names change with them, and sent compressed', async () => {
    const [script = ''] =
      /assets\/index-[\w-]+\.js/.exec(await (await get('/console/')).text()) ?? [];
    const packed = await get(`/console/${script}`, { 'accept-encoding': 'gzip' });
    expect(packed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.headers.get('vary')).toContain('Accept-Encoding');
    const plain = await get(`/console/${script}`, { 'accept-encoding': 'identity' });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(await packed.text());
  });

  it('show the page at every address of the console, and 404 for a file that is not there', async () => {
    const org = randomUUID();
    for (const path of [`${org}/jobs`, `${org}/jobs/a/b/${randomUUID()}`, 'callback?code=x']) {
      expect((await get(`/console/${path}`)).headers.get('content-type')).toContain('text/html');
    }
    for (const path of ['assets/index-old.js', 'favicon.ico', 'assets/..%2f..%2fpackage.json']) {
      const answer = await get(`/console/${path}`);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
  });

  it('never lead out of their folder', async () => {
    for (const path of [
      '/console/../package.json',
      '/console/assets/../../package.json',
      '/console/%2e%2e/%2e%2e/etc/passwd',
    ]) {
      const { text } = await sendRaw(service.url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(text).not.toContain('"dependencies"');
      expect(text).not.toContain('root:');
    }
  });

  it('are told whom a token is for, whatever its claims are called, and by the clock that judges it', async () => {
    const org = randomUUID();
    const answer = await get('/console/session', {
      authorization: `Bearer ${await token([org], { scope: 'tasks.read compute:execute', expiresIn: 100 })}`,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { expires_in, ...session } = (await answer.json()) as { expires_in: number };
    expect(session).toEqual({
      subject: 'tester',
      organizations: [org],
      scopes: ['compute:read', 'compute:execute'],
    });
    expect(expires_in).toBeGreaterThan(90);
    expect((await get('/console/session')).status).toBe(401);
  });

  it('offer no development sign-in where the service has a key or a database of its own', async () => {
    expect(await (await get('/console/config.json')).json()).toMatchObject({
      development: false,
      provider: false,
    });
    for (const path of ['development-token', 'provider/token']) {
      const answer = await fetch(`${service.url}/console/${path}`, {
        method: 'POST',
        headers: {
          'x-headframe-console': '1',
          'sec-fetch-site': 'same-origin',
          origin: service.url,
        },
      });
      expect(answer.status).toBe(404);
    }
  });
});

describe('a service behind a path prefix', () => {
  it('mounts the console below it', async () => {
    const service = await startService(database.url, {
      ROLE: 'api',
      PUBLIC_URL: 'https://example.org/compute-api/',
    });
    try {
      const page = await (await fetch(`${service.url}/console/`)).text();
      expect(page).toContain('<base href="/compute-api/console/" />');
      const lead = await fetch(`${service.url}/console`, { redirect: 'manual' });
      expect(lead.headers.get('location')).toBe('/compute-api/console/');
    } finally {
      await service.stop();
    }
  });
});

describe('CONSOLE=false', () => {
  it('takes the console away, and the way there', async () => {
    const service = await startService(database.url, { ROLE: 'api', CONSOLE: 'false' });
    try {
      for (const path of ['/console', '/console/', '/console/config.json']) {
        expect((await fetch(service.url + path)).status).toBe(404);
      }
      expect(await (await fetch(service.url)).text()).not.toContain('console');
    } finally {
      await service.stop();
    }
  });
});
