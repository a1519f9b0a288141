import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keySetAt, keySetOfIssuer } from '../../src/auth/keys/key-set-source.js';

const KEYS = { keys: [{ kty: 'EC', kid: 'one' }] };
const OPENID = '/realm/.well-known/openid-configuration';
const OAUTH = '/.well-known/oauth-authorization-server/realm';

describe('the keys of an issuer', () => {
  let server: Server;
  let base: string;
  /** What is at each path; a text is an address to go to instead. */
  let pages: Record<string, object | string>;
  let asked: string[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url as string;
      const page = pages[path];
      asked.push(path);
      if (typeof page === 'string') {
        response.writeHead(302, { location: page }).end();
      } else {
        response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(page));
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server?.close());
  beforeEach(() => {
    pages = { '/keys': KEYS };
    asked = [];
  });

  const metadata = (more: object = {}) => ({
    issuer: `${base}/realm`,
    jwks_uri: `${base}/keys`,
    ...more,
  });

  it('are where its OpenID metadata says', async () => {
    pages[OPENID] = metadata();
    expect(await keySetOfIssuer(`${base}/realm`).fetch()).toEqual(KEYS);
    expect(asked).toEqual([OPENID, '/keys']);
  });

  it('are where its OAuth metadata says, when there is no other', async () => {
    pages[OAUTH] = metadata();
    expect(await keySetOfIssuer(`${base}/realm`).fetch()).toEqual(KEYS);
    expect(asked).toEqual([OPENID, OAUTH, '/keys']);
  });

  it('are not taken from metadata of another issuer, which a slash more is', async () => {
    pages[OPENID] = metadata();
    await expect(keySetOfIssuer(`${base}/realm/`).fetch()).rejects.toThrow('another issuer');
    pages[OPENID] = metadata({ issuer: 'https://elsewhere.example' });
    await expect(keySetOfIssuer(`${base}/realm`).fetch()).rejects.toThrow('another issuer');
    expect(asked).not.toContain('/keys');
  });

  it.each([
    ['no address', undefined],
    ['no web address', 'file:///etc/passwd'],
    ['no address at all', 7],
  ])('cannot be had when the metadata names %s', async (_what, address) => {
    pages[OPENID] = metadata({ jwks_uri: address });
    await expect(keySetOfIssuer(`${base}/realm`).fetch()).rejects.toThrow('jwks_uri');
  });

  it('are not looked for where an answer leads', async () => {
    pages[OPENID] = '/moved';
    pages['/moved'] = metadata();
    await expect(keySetOfIssuer(`${base}/realm`).fetch()).rejects.toThrow();
    pages['/away'] = '/keys';
    await expect(keySetAt(new URL(`${base}/away`)).fetch()).rejects.toThrow();
    expect(asked).not.toContain('/moved');
    expect(asked).not.toContain('/keys');
  });

  it('are not read beyond a megabyte', async () => {
    pages['/keys'] = { keys: [], padding: 'x'.repeat(1024 * 1024) };
    await expect(keySetAt(new URL(`${base}/keys`)).fetch()).rejects.toThrow('more than');
  });
});
