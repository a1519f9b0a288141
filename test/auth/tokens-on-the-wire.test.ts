import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CompactEncrypt,
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
import { rawRequest, sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'headframe';

/** Each request goes as bytes: an HTTP client would put some of them right. */
describe('a request whose token is wrong', () => {
  const org = randomUUID();
  let database: TestDatabase;
  let keySet: Server;
  let service: Service;
  let pair: { publicKey: CryptoKey; privateKey: CryptoKey };
  let good: string;
  /** Who offers keys of his own, and counts who comes for them. */
  let stranger: { publicKey: CryptoKey; privateKey: CryptoKey };
  const visits: string[] = [];
  let address: string;

  const sign = (
    key: CryptoKey | Uint8Array,
    header: Partial<JWTHeaderParameters> = {},
    more: JWTPayload = {},
  ) =>
    new SignJWT({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'tester',
      orgs: org,
      scope: 'compute:read',
      exp: Math.floor(Date.now() / 1000) + 600,
      ...more,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
      .sign(key);

  beforeAll(async () => {
    database = await createTestDatabase();
    pair = await generateKeyPair('RS256', { extractable: true });
    stranger = await generateKeyPair('RS256', { extractable: true });
    const own = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256' };
    const other = { ...(await exportJWK(stranger.publicKey)), kid: 'one', alg: 'RS256' };
    keySet = createServer((request, response) => {
      visits.push(request.url as string);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: [request.url === '/keys' ? own : other] }));
    });
    keySet.listen(0, '127.0.0.1');
    await once(keySet, 'listening');
    address = `http://127.0.0.1:${(keySet.address() as AddressInfo).port}`;
    service = await startService(database.url, {
      ROLE: 'api',
      AUTH_JWT_SECRET: '',
      AUTH_JWKS_URI: `${address}/keys`,
      AUTH_ISSUER: ISSUER,
      AUTH_AUDIENCE: AUDIENCE,
    });
    good = await sign(pair.privateKey);
  });
  afterAll(async () => {
    await service?.stop();
    keySet?.close();
    await database?.drop();
  });

  const ask = (headers: readonly string[], query = '') =>
    sendRaw(
      service.url,
      rawRequest(`GET /compute/orgs/${org}/tasks${query} HTTP/1.1`, [
        'Host: service.example',
        ...headers,
      ]),
    );

  it('is told from one whose token is good', async () => {
    expect((await ask([`Authorization: Bearer ${good}`])).status).toBe(200);
  });

  it.each<[string, () => readonly string[], string | null]>([
    ['no token', () => [], null],
    ['another scheme', () => [`Authorization: Basic ${good}`], null],
    ['an empty token', () => ['Authorization: Bearer '], null],
    ['an empty header', () => ['Authorization:'], null],
    ['a token elsewhere', () => [`Cookie: access_token=${good}`, `X-Token: ${good}`], null],
    ['a dot behind', () => [`Authorization: Bearer ${good}.`], 'invalid_token'],
    ['padding', () => [`Authorization: Bearer ${good}=`], 'invalid_token'],
    ['a space within', () => [`Authorization: Bearer ${good.replace('.', ' .')}`], 'invalid_token'],
    ['two tokens', () => [`Authorization: Bearer ${good}, Bearer ${good}`], 'invalid_token'],
    ['a tab before it', () => [`Authorization: Bearer \t${good}`], 'invalid_token'],
    ['a byte beyond ASCII', () => [`Authorization: Bearer ${good}\xe9`], 'invalid_token'],
  ])('with %s: 401', async (_what, headers, code) => {
    const answer = await ask(headers());
    expect(answer.status).toBe(401);
    expect(answer.body.type).toMatch(/unauthorized$/);
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer realm="headframe"${code === null ? '' : `, error="${code}"`}`,
    );
  });

  it('with the header twice: 400, good or not', async () => {
    const header = `Authorization: Bearer ${good}`;
    for (const second of [header, 'authorization: Bearer x']) {
      const answer = await ask([header, second]);
      expect(answer.status).toBe(400);
      expect(answer.body.type).toMatch(/malformed-request$/);
    }
  });

  it('in the query or in a form: 401, and it is not logged', async () => {
    expect((await ask([], `?access_token=${good}`)).status).toBe(401);
    const form = await sendRaw(
      service.url,
      rawRequest(
        `POST /compute/orgs/${org}/diagnostics/sleep HTTP/1.1`,
        ['Host: service.example', 'Content-Type: application/x-www-form-urlencoded'],
        `access_token=${good}`,
      ),
    );
    expect(form.status).toBe(401);
    expect(service.log()).not.toContain(good);
  });

  it('larger than headers may be: 431', async () => {
    const answer = await ask([`Authorization: Bearer ${'x'.repeat(20_000)}`]);
    expect(answer.status).toBe(431);
  });

  it.each<[string, () => Promise<string>]>([
    ['without a signature', async () => unsigned({ alg: 'none' })],
    ['with the public key for a secret', async () => sign(await pem(), { alg: 'HS256' })],
    ['with an algorithm that is not allowed', async () => eddsa()],
    ['encrypted', async () => encrypted()],
    ['with a bit of the signature flipped', async () => flipped()],
    ['with a key of its own', async () => foreign({ jwk: await exportJWK(stranger.publicKey) })],
    ['with an address of keys of its own', async () => foreign({ jku: `${address}/theirs` })],
    ['with an address of a certificate', async () => foreign({ x5u: `${address}/theirs` })],
    ['with a key id that is a path', async () => foreign({ kid: '../../dev/null' })],
    ['with a key id that is SQL', async () => foreign({ kid: "one' OR '1'='1" })],
    ['of another type', async () => sign(pair.privateKey, { typ: 'logout+jwt' })],
    ['of another issuer', async () => sign(pair.privateKey, {}, { iss: `${ISSUER}/` })],
    ['for another audience', async () => sign(pair.privateKey, {}, { aud: `${AUDIENCE}/` })],
    ['that has ended', async () => sign(pair.privateKey, {}, { exp: seconds(-60) })],
    ['that has not begun', async () => sign(pair.privateKey, {}, { nbf: seconds(3600) })],
    ['of an hour from now', async () => sign(pair.privateKey, {}, { iat: seconds(3600) })],
    ['that never ends', async () => sign(pair.privateKey, {}, { exp: undefined as never })],
    ['of nobody', async () => sign(pair.privateKey, {}, { sub: undefined as never })],
  ])('%s: 401', async (_what, make) => {
    const answer = await ask([`Authorization: Bearer ${await make()}`]);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('makes nobody ask where the token says', () => {
    expect(new Set(visits)).toEqual(new Set(['/keys']));
    expect(visits.length).toBeLessThanOrEqual(3);
  });

  const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const unsigned = (header: object) => `${encode(header)}.${good.split('.')[1]}.`;
  const pem = async () => Buffer.from(await exportSPKI(pair.publicKey));
  const foreign = (header: Partial<JWTHeaderParameters>) => sign(stranger.privateKey, header);
  async function eddsa(): Promise<string> {
    const { privateKey } = await generateKeyPair('EdDSA');
    return sign(privateKey, { alg: 'EdDSA' });
  }
  const encrypted = () =>
    new CompactEncrypt(Buffer.from(good))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(randomBytes(32));
  function flipped(): string {
    const [header, payload, signature = ''] = good.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    bytes[7] = (bytes[7] as number) ^ 1;
    return `${header}.${payload}.${bytes.toString('base64url')}`;
  }
});
