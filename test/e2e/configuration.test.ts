import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONFIG_SCHEMA, ConfigError, loadConfig } from '../../src/platform/config.js';
import { runService } from '../support/service.js';

const project = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const KEY = 'a-key-with-enough-characters-0123456789';
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://db/x',
  AUTH_JWT_SECRET: KEY,
};

describe('the configuration', () => {
  it('has defaults for everything outside production', () => {
    expect(loadConfig({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      ROLE: 'all',
      WORKER_TASKS: ['*/*'],
      LEASE_SECONDS: 15,
      BODY_LIMIT_BYTES: 8 * 1024 * 1024,
      AUTH_ORGS_CLAIM: 'orgs',
      CORS_ORIGINS: [],
      TRUST_PROXY: false,
      RATE_LIMIT_SUBMITS: 6_000,
      RATE_LIMIT_POLLS: 60_000,
      RATE_LIMIT_FAILURES: 300,
      MAX_CONNECTIONS: 10_000,
    });
  });

  it('takes an empty variable for an unset one, as compose files produce them', () => {
    expect(loadConfig({ PORT: '', DATABASE_URL: '', AUTH_JWT_SECRET: '' })).toEqual(loadConfig({}));
  });

  it('names all wrong variables at once, and never their values', () => {
    const wrong = {
      PORT: 'no-port-1',
      PUBLIC_URL: 'ftp://no-port-1',
      DATABASE_URL: 'mysql://user:no-port-1@db/x',
      ROLE: 'no-port-1',
      WORKER_SLOTS: '0',
      WORKER_TASKS: 'no port 1',
      LEASE_SECONDS: '1e9',
      AUTH_JWT_SECRET: 'no-port-1',
      AUTH_JWT_PUBLIC_KEY: 'no-port-1',
      BODY_LIMIT_BYTES: '-1',
      CORS_ORIGINS: 'no-port-1',
      LOG_LEVEL: 'no-port-1',
      RATE_LIMIT_POLLS: 'no-port-1',
      MAX_CONNECTIONS: '0',
      TRUST_PROXY: 'no-port-1',
    };
    const load = () => loadConfig(wrong);
    expect(load).toThrow(ConfigError);
    try {
      load();
    } catch (error) {
      const { message } = error as Error;
      for (const name of Object.keys(wrong)) {
        expect(message).toMatch(new RegExp(`^  ${name}: `, 'm'));
      }
      expect(message).not.toContain('no-port-1');
    }
  });

  it.each([
    ['https://a.example/x?y=z-1', /^  PUBLIC_URL: must have no query: .* remove the \?/m],
    ['https://a.example?', /^  PUBLIC_URL: must have no query/m],
    ['https://a.example/#z-1', /^  PUBLIC_URL: must have no fragment: .* remove the #/m],
    ['https://a.example#', /^  PUBLIC_URL: must have no fragment/m],
    ['https://user:z-1@a.example', /^  PUBLIC_URL: must have no password/m],
    ['https://a.example/z-1//y', /^  PUBLIC_URL: must have no empty segment/m],
    ['https://a.example/z-1 y', /^  PUBLIC_URL: .* without blanks/m],
    ['https:\\\\a.example\\z-1', /^  PUBLIC_URL: /m],
    ['https:a.example/z-1', /^  PUBLIC_URL: /m],
    ['ftp://a.example/z-1', /^  PUBLIC_URL: must be an http/m],
    ['a.example/z-1', /^  PUBLIC_URL: must be an http/m],
    ['javascript:z-1', /^  PUBLIC_URL: must be an http/m],
  ])('refuses the PUBLIC_URL %s, from which no links can be made', (url, message) => {
    expect(() => loadConfig({ PUBLIC_URL: url })).toThrow(message);
    expect(() => loadConfig({ PUBLIC_URL: url })).not.toThrow(/z-1/);
  });

  it.each([
    ['https://a.example', 'https://a.example'],
    ['https://a.example///', 'https://a.example'],
    ['https://A.example:443/b/c/', 'https://a.example/b/c'],
    ['http://[::1]:8080/b/../c', 'http://[::1]:8080/c'],
    ['https://user@a.example/b', 'https://a.example/b'],
    [' https://a.example/b ', 'https://a.example/b'],
  ])('makes links from the PUBLIC_URL %s', (url, base) => {
    expect(loadConfig({ PUBLIC_URL: url }).PUBLIC_URL).toBe(base);
  });

  it('refuses more than one key', () => {
    const two = { AUTH_JWT_SECRET: KEY, AUTH_JWKS_URI: 'https://issuer.example/keys' };
    expect(() => loadConfig(two)).toThrow(
      /AUTH_JWT_SECRET.*AUTH_JWKS_URI|AUTH_JWKS_URI.*AUTH_JWT_SECRET/s,
    );
  });

  it.each([
    ['no database', { DATABASE_URL: '' }, /DATABASE_URL: must be set in production/],
    ['no key', { AUTH_JWT_SECRET: '' }, /AUTH_JWKS_URI, AUTH_JWT_PUBLIC_KEY or AUTH_JWT_SECRET/],
    [
      'a development key',
      { AUTH_JWT_SECRET: `headframe-development-${KEY}` },
      /AUTH_JWT_SECRET: a development key/,
    ],
  ])('refuses %s in production, and says which variable to set', (_what, change, message) => {
    expect(loadConfig(PRODUCTION).NODE_ENV).toBe('production');
    expect(() => loadConfig({ ...PRODUCTION, ...change })).toThrow(message);
  });

  it('is listed in the README and in .env.example, each variable once, with its sentence', () => {
    const [readme, example] = [project('README.md'), project('.env.example')];
    for (const [name, schema] of Object.entries(CONFIG_SCHEMA.shape)) {
      expect(readme.split(`| \`${name}\` |`)).toHaveLength(2);
      expect(readme).toContain(schema.description);
      expect(example.match(new RegExp(`^# ${name}=`, 'gm'))).toHaveLength(1);
      expect(example).toContain(schema.description);
    }
  });
});

describe('a start that is refused', () => {
  let dataHome: string;
  beforeAll(() => {
    dataHome = mkdtempSync(join(tmpdir(), 'headframe-'));
  });
  afterAll(() => rmSync(dataHome, { recursive: true, force: true }));

  it('says why in one readable message, without a stack, and exits 1', async () => {
    const { code, output } = await runService({ PORT: 'x', ROLE: 'y', DATA_HOME: dataHome });
    expect(code).toBe(1);
    expect(output).toMatch(/^Headframe cannot start/);
    expect(output).toMatch(/PORT: .*\n.*ROLE: /);
    expect(output).not.toContain('    at ');
  });

  it('in production names what to set', async () => {
    const { code, output } = await runService({ NODE_ENV: 'production', DATA_HOME: dataHome });
    expect(code).toBe(1);
    expect(output).toMatch(/DATABASE_URL.*\n.*AUTH_JWKS_URI/);
  });
});
