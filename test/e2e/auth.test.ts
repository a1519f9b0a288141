import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { judgedFetch } from '../support/judged-answer.js';
import { type Service, startService } from '../support/service.js';
import { TEST_SECRET, token } from '../support/tokens.js';

const SECRET = new TextEncoder().encode(TEST_SECRET);
const org = randomUUID();
const now = () => Math.floor(Date.now() / 1000);

const claims = (more: JWTPayload = {}): JWTPayload => ({
  sub: 'tester',
  orgs: [org],
  scope: 'compute:read compute:execute',
  exp: now() + 600,
  ...more,
});

const sign = (
  key: CryptoKey | Uint8Array,
  payload: JWTPayload,
  header: JWTHeaderParameters = { alg: 'HS256' },
) => new SignJWT(payload).setProtectedHeader(header).sign(key);

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Signs under the shared secret what no library would. */
function signedAsIs(header: object, payload: object): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
}

async function ask(service: Service, authorization: string | null, path = 'tasks') {
  const response = await judgedFetch(`${service.url}/compute/orgs/${org}/${path}`, {
    headers: authorization === null ? {} : { authorization },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

let database: TestDatabase;
const services: Service[] = [];
async function start(environment: Record<string, string>): Promise<Service> {
  const service = await startService(database.url, { ROLE: 'api', ...environment });
  services.push(service);
  return service;
}
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await database?.drop();
});

describe('tokens under a shared secret', () => {
  let service: Service;
  beforeAll(async () => {
    service = await start({ AUTH_ISSUER: 'https://issuer.example', AUTH_AUDIENCE: 'headframe' });
  });

  const good = { iss: 'https://issuer.example', aud: 'headframe' };

  it('are accepted when all is well', async () => {
    for (const more of [{}, { aud: ['other', 'headframe'] }, { orgs: org.toUpperCase() }]) {
      const bearer = await sign(SECRET, claims({ ...good, ...more }));
      expect((await ask(service, `Bearer ${bearer}`)).status).toBe(200);
      expect((await ask(service, `bearer ${bearer}`)).status).toBe(200);
    }
  });

  it.each<[string, JWTPayload]>([
    ['expired', { ...good, exp: now() - 60 }],
    ['not yet valid', { ...good, nbf: now() + 3600 }],
    ['issued in the future', { ...good, iat: now() + 3600 } as never],
    ['without an end', { ...good, exp: undefined as never }],
    ['with an end that is no number', { ...good, exp: '2099-01-01' as never }],
    ['of nobody', { ...good, sub: undefined as never }],
    ['of somebody without a name', { ...good, sub: '' }],
    ['an ID token', { ...good, at_hash: 'x' }],
    ['of another issuer', { ...good, iss: 'https://issuer.example/' }],
    ['without an issuer', { aud: 'headframe' }],
    ['for another audience', { ...good, aud: 'other' }],
    ['without an audience', { iss: good.iss }],
  ])('are refused when %s', async (_what, more) => {
    const bearer = signedAsIs({ alg: 'HS256' }, claims(more));
    const answer = await ask(service, `Bearer ${bearer}`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(answer.text).not.toContain(bearer);
  });

  it.each([
    ['at+jwt', 200],
    ['application/at+jwt', 200],
    ['JWT', 200],
    ['dpop+jwt', 401],
    ['secevent+jwt', 401],
    ['', 401],
  ])('of the type %j answer %i', async (typ, status) => {
    const bearer = await sign(SECRET, claims(good), { alg: 'HS256', typ });
    expect((await ask(service, `Bearer ${bearer}`)).status).toBe(status);
  });

  it('that demand extensions are refused', async () => {
    for (const header of [
      { alg: 'HS256', crit: ['exp'] },
      { alg: 'HS256', b64: true },
    ]) {
      const bearer = signedAsIs(header, claims(good));
      expect((await ask(service, `Bearer ${bearer}`)).status).toBe(401);
    }
  });

  it('are refused when forged, unsigned, or not tokens at all', async () => {
    const valid = await sign(SECRET, claims(good));
    const [header, payload, signature] = valid.split('.') as [string, string, string];
    const other = new TextEncoder().encode('another-secret-of-enough-characters-0123456789');
    for (const bearer of [
      await sign(other, claims(good)),
      `${encode({ alg: 'none' })}.${payload}.`,
      `${encode({ alg: 'none' })}.${payload}.${signature}`,
      `${header}.${encode(claims({ ...good, orgs: [randomUUID()] }))}.${signature}`,
      `${valid}.`,
      `${valid}.x.y`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      valid.slice(0, -6),
      'x',
    ]) {
      expect((await ask(service, `Bearer ${bearer}`)).status).toBe(401);
    }
  });

  it('count only in the Authorization header, with the scheme Bearer', async () => {
    const bearer = await sign(SECRET, claims(good));
    for (const [authorization, path] of [
      [null, `tasks?access_token=${bearer}`],
      [`Basic ${bearer}`, 'tasks'],
      ['Bearer', 'tasks'],
      ['Bearer ', 'tasks'],
      [bearer, 'tasks'],
    ] as const) {
      const answer = await ask(service, authorization, path);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect(service.log()).not.toContain(bearer);
  });

  it('grant their organizations and nothing else', async () => {
    for (const orgs of [randomUUID(), [], [randomUUID(), 'not-a-uuid'], { org }, 7, undefined]) {
      const bearer = await sign(SECRET, claims({ ...good, orgs }));
      expect((await ask(service, `Bearer ${bearer}`)).status).toBe(403);
    }
  });
});

describe('tokens under a public key', () => {
  it.each(['RS256', 'ES256'])(
    '%s are verified, and the key is never taken for a secret',
    async (alg) => {
      const pair = await generateKeyPair(alg, { extractable: true });
      const pem = await exportSPKI(pair.publicKey);
      const service = await start({
        AUTH_JWT_SECRET: '',
        AUTH_JWT_PUBLIC_KEY: pem.replaceAll('\n', '\\n'),
      });
      expect(
        (await ask(service, `Bearer ${await sign(pair.privateKey, claims(), { alg })}`)).status,
      ).toBe(200);
      const stranger = await generateKeyPair(alg);
      for (const bearer of [
        await sign(stranger.privateKey, claims(), { alg }),
        await sign(new TextEncoder().encode(pem), claims()),
        await sign(new TextEncoder().encode(pem.trim()), claims()),
        `${encode({ alg: 'none' })}.${encode(claims())}.`,
      ]) {
        expect((await ask(service, `Bearer ${bearer}`)).status).toBe(401);
      }
      await service.stop();
    },
  );
});

describe('tokens under a key set', () => {
  let keySet: Server;
  let service: Service;
  let pair: { publicKey: CryptoKey; privateKey: CryptoKey };
  let fetches = 0;
  let down = true;

  beforeAll(async () => {
    pair = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    keySet = createServer((_request, response) => {
      fetches += 1;
      response.writeHead(down ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: [jwk] }));
    });
    keySet.listen(0, '127.0.0.1');
    await once(keySet, 'listening');
    const { port } = keySet.address() as AddressInfo;
    service = await start({
      AUTH_JWT_SECRET: '',
      AUTH_JWKS_URI: `http://127.0.0.1:${port}/keys`,
      AUTH_ORGS_CLAIM: 'tenant.organizations',
    });
  });
  afterAll(() => keySet?.close());

  const signed = (header: Partial<JWTHeaderParameters> = {}) =>
    sign(pair.privateKey, claims({ orgs: [], tenant: { organizations: org } }), {
      alg: 'RS256',
      kid: 'one',
      ...header,
    });

  it('are neither good nor bad while the set cannot be had: 503', async () => {
    const answer = await ask(service, `Bearer ${await signed()}`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answer.text).not.toContain('127.0.0.1');
  });

  it('are verified once it can, and go on being so when it is away again', async () => {
    down = false;
    await expect
      .poll(async () => (await ask(service, `Bearer ${await signed()}`)).status)
      .toBe(200);
    down = true;
    expect((await ask(service, `Bearer ${await signed()}`)).status).toBe(200);
  });

  it('with unknown key ids are refused, and cannot make the service fetch again and again', async () => {
    down = false;
    const before = fetches;
    for (let count = 0; count < 20; count += 1) {
      expect((await ask(service, `Bearer ${await signed({ kid: `../${count}` })}`)).status).toBe(
        401,
      );
    }
    expect(fetches - before).toBeLessThanOrEqual(1);
    expect((await ask(service, `Bearer ${await signed()}`)).status).toBe(200);
  });

  it('bring no keys of their own', async () => {
    const stranger = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(stranger.publicKey);
    const forged = await sign(stranger.privateKey, claims({ tenant: { organizations: org } }), {
      alg: 'RS256',
      kid: 'one',
      jwk,
    });
    expect((await ask(service, `Bearer ${forged}`)).status).toBe(401);
    expect((await ask(service, `Bearer ${await token(org)}`)).status).toBe(401);
  });
});
