import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { OidcProvider, RESOURCE, signingKey } from '../support/oidc-provider.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const org = randomUUID();
let database: TestDatabase;
let service: Service;
let headframe: CommandLine;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});
beforeEach(() => {
  headframe = new CommandLine();
  return () => headframe.remove();
});

const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
const profiles = () =>
  (JSON.parse(readFileSync(headframe.configFile, 'utf8')) as { profiles: object }).profiles;

describe('whoever is not signed in', () => {
  it('is told how to, and nothing is sent', async () => {
    const { code, stdout, stderr } = await headframe.run(['list']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('headframe login');
  });

  it('needs no profile when the environment says it all', async () => {
    const env = {
      HEADFRAME_URL: service.url,
      HEADFRAME_TOKEN: await token(org),
    };
    expect((await headframe.run(['list'], { env })).code).toBe(0);
  });

  it('with an expired token is told so at once', async () => {
    const env = {
      HEADFRAME_URL: service.url,
      HEADFRAME_TOKEN: await token(org, { expiresIn: -7_200 }),
    };
    const { code, stderr } = await headframe.run(['list'], { env });
    expect([code, stderr]).toEqual([5, expect.stringContaining('expired 2 h 0 min ago')]);
  });
});

describe('headframe login', () => {
  it('reads a token from standard input, tries it, and keeps it where nobody else can read', async () => {
    const stdin = await token(org);
    const { code, stdout, stderr } = await headframe.run(['login', '--url', service.url], {
      stdin: `${stdin}\n`,
    });
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`as tester, organization ${org} (profile default)`);
    expect(profiles()).toEqual({ default: { url: service.url, org, token: stdin } });
    expect([mode(headframe.configFile), mode(path.dirname(headframe.configFile))]).toEqual([
      '600',
      '700',
    ]);
    expect((await headframe.run(['list'])).code).toBe(0);
  });

  it('keeps nothing that does not work', async () => {
    const bad = await headframe.run(['login', '--url', service.url, '--org', org], {
      stdin: 'no-token',
    });
    expect([bad.code, bad.stderr]).toEqual([5, expect.stringContaining('401')]);
    const away = await headframe.run(['login', '--url', 'http://127.0.0.1:9', '--org', org], {
      stdin: await token(org),
    });
    expect([away.code, away.stderr]).toEqual([6, expect.stringContaining('No answer from')]);
    expect(() => profiles()).toThrow('ENOENT');
  });

  it('wants to know the organization when the token grants several', async () => {
    const other = randomUUID();
    const options = { stdin: await token([org, other]) };
    const open = await headframe.run(['login', '--url', service.url], options);
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining(`${org}, ${other}`)]);
    const named = await headframe.run(['login', '--url', service.url, '--org', other], options);
    expect(named.code).toBe(0);
  });

  it('keeps profiles apart', async () => {
    await headframe.run(['login', '--url', service.url], { stdin: await token(org) });
    await headframe.run(['login', '--url', service.url, '--profile', 'lab'], {
      stdin: await token(org, { claims: { sub: 'grace' } }),
    });
    const { stdout } = await headframe.run(['token', '--json', '--profile', 'lab']);
    expect(JSON.parse(stdout)).toMatchObject({ claims: { sub: 'grace' }, origin: 'profile lab' });
    const byName = await headframe.run(['token', '--json'], { env: { HEADFRAME_PROFILE: 'lab' } });
    expect(byName.stdout).toBe(stdout);
    const none = await headframe.run(['token', '--profile', 'attic']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('default, lab')]);
  });
});

describe('the profile', () => {
  it('is taken from others who can read it, which is told', async () => {
    await headframe.run(['login', '--url', service.url], { stdin: await token(org) });
    chmodSync(headframe.configFile, 0o644);
    const { code, stderr } = await headframe.run(['list']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('mode 644')]);
    expect(mode(headframe.configFile)).toBe('600');
  });

  it('does not send its token to another service', async () => {
    await headframe.run(['login', '--url', service.url], { stdin: await token(org) });
    const { code, stderr } = await headframe.run(['list', '--url', 'http://127.0.0.1:9']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('is not sent elsewhere')]);
  });

  it('that cannot be read is told, and not overwritten', async () => {
    mkdirSync(path.dirname(headframe.configFile), { mode: 0o700 });
    writeFileSync(headframe.configFile, '{"profiles": ', { mode: 0o600 });
    const stdin = await token(org);
    for (const words of [['list'], ['login', '--url', service.url]]) {
      const { code, stderr } = await headframe.run(words, { stdin });
      expect([code, stderr]).toEqual([2, expect.stringContaining('no configuration')]);
    }
  });
});

describe('headframe token', () => {
  it('tells what the token says, and the token itself when asked', async () => {
    // Less than an hour even where all of this takes no second.
    const raw = await token(org, { expiresIn: 3_595 });
    const env = { HEADFRAME_URL: service.url, HEADFRAME_TOKEN: raw };
    const told = await headframe.run(['token'], { env });
    expect(told.stdout).toMatch(/^subject +tester$/m);
    expect(told.stdout).toMatch(/^expires .*\(in 59 min \d+ s\)$/m);
    expect(told.stdout).not.toContain(raw);
    expect((await headframe.run(['token', '--raw'], { env })).stdout).toBe(`${raw}\n`);
  });

  it('of a checkout is told only in one', async () => {
    const { code, stderr } = await headframe.run(['token', '--development']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no checkout')]);
  });
});

describe('a sign-in by device code', () => {
  let provider: OidcProvider;
  let guarded: Service;

  beforeAll(async () => {
    provider = await OidcProvider.start([await signingKey('one')], [org]);
    guarded = await startService(database.url, {
      AUTH_JWT_SECRET: '',
      AUTH_ISSUER: provider.issuer,
      AUTH_AUDIENCE: RESOURCE,
      AUTH_ORGS_CLAIM: 'tenant.organizations',
      AUTH_SCOPE_READ: 'tasks.read',
      AUTH_SCOPE_EXECUTE: 'tasks.run',
    });
  });
  afterAll(async () => {
    await guarded.stop();
    await provider.stop();
  });

  const words = (issuer: string) => [
    'login',
    `--url=${guarded.url}`,
    `--org=${org}`,
    `--issuer=${issuer}`,
    `--resource=${RESOURCE}`,
    '--scope=openid offline_access tasks.read tasks.run',
  ];

  it('shows an address and a code, waits until it was entered, and renews what expires', async () => {
    const running = headframe.start(words(provider.issuer));
    await expect.poll(() => running.stderr()).toMatch(/and enter \S+\n/);
    const [, address, code = ''] = /Open (\S+)\nand enter (\S+)/.exec(running.stderr()) ?? [];
    expect(address).toMatch(`${provider.issuer}/device`);
    await provider.approve(code);
    const { code: exit, stderr } = await running.ended;
    expect([exit, stderr]).toEqual([0, expect.stringContaining('as ada')]);
    expect((await headframe.run(['list'])).code).toBe(0);

    const { default: kept } = profiles() as { default: { token: string; renewal: object } };
    const expired = await token(org, { expiresIn: -60 });
    writeFileSync(
      headframe.configFile,
      JSON.stringify({ profiles: { default: { ...kept, token: expired } } }),
    );
    expect((await headframe.run(['list'])).code).toBe(0);
    const { default: renewed } = profiles() as { default: { token: string; renewal: object } };
    expect(renewed.token).not.toBe(expired);
  });

  it('at what is no provider says so', async () => {
    const { code, stderr } = await headframe.run(words(service.url));
    expect(code).toBe(6);
    expect(stderr).toContain('--issuer');
  });
});
