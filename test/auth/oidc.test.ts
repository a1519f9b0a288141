import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { OidcProvider, RESOURCE, signingKey } from '../support/oidc-provider.js';
import { type Service, startService } from '../support/service.js';

/** A real OpenID provider: discovery, client credentials, rotation, outage. */
describe('access tokens of an OpenID provider', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let provider: OidcProvider;
  let service: Service;

  beforeAll(async () => {
    database = await createTestDatabase();
    provider = await OidcProvider.start([await signingKey('one')], [org]);
    await provider.stop();
    // The issuer alone: no key, no address of a key set, and nobody there at the start.
    service = await startService(database.url, {
      ROLE: 'api',
      NODE_ENV: 'production',
      AUTH_JWT_SECRET: '',
      AUTH_ISSUER: provider.issuer,
      AUTH_AUDIENCE: RESOURCE,
      AUTH_ORGS_CLAIM: 'tenant.organizations',
      AUTH_SCOPE_READ: 'tasks.read',
      AUTH_SCOPE_EXECUTE: 'tasks.run',
      AUTH_TOKEN_TYPE: 'at+jwt',
    });
  });
  afterAll(async () => {
    await service?.stop();
    await provider?.stop();
    await database?.drop();
  });

  const client = (token: string) => new Client(service.url, org, token);
  const statusOf = async (token: string) => (await client(token).get('tasks')).status;

  it('cannot be judged before the provider was ever there: 503 with Retry-After, and never 200', async () => {
    await provider.serve([await signingKey('one')]);
    const token = await provider.token('tasks.read');
    await provider.stop();
    const answer = await client(token).get('tasks');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.body.type).toContain('unavailable');
  });

  it('are taken, with the scopes and organizations as the provider calls them', async () => {
    await provider.serve([await signingKey('two'), await signingKey('one')]);
    const token = await provider.token('tasks.read');
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', kid: 'two' });
    expect(decodeJwt(token)).toMatchObject({ client_id: 'notebook', aud: RESOURCE });
    await expect.poll(() => statusOf(token), { timeout: 10_000 }).toBe(200);
    const refused = await client(token).execute('diagnostics/sleep', {
      parameters: { seconds: 0 },
    });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain('scope="tasks.run"');
    const both = await provider.token('tasks.read tasks.run');
    const made = await client(both).execute('diagnostics/sleep', { parameters: { seconds: 0 } });
    expect(made.status).toBe(303);
  });

  it('are taken when the provider has changed its keys, without a restart', async () => {
    await provider.serve([await signingKey('three', 'ES256')]);
    const token = await provider.token('tasks.read');
    expect(await statusOf(token)).toBe(200);
  });

  it('with key ids that nobody knows are refused, and cause no more fetches', async () => {
    const good = await provider.token('tasks.read');
    const before = provider.keySetRequests;
    const [, payload, signature] = good.split('.');
    for (let count = 0; count < 20; count += 1) {
      const header = { alg: 'ES256', typ: 'at+jwt', kid: `' OR 1=1 -- ${count}` };
      const forged = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
      expect(await statusOf(forged)).toBe(401);
    }
    expect(provider.keySetRequests - before).toBe(0);
    expect(await statusOf(good)).toBe(200);
  });

  it('are taken while the provider is away, if their key is known', async () => {
    const tokens = [
      await provider.token('tasks.read'),
      await provider.token('tasks.read tasks.run'),
    ];
    await provider.stop();
    for (const token of tokens) {
      expect(await statusOf(token)).toBe(200);
    }
  });
});
