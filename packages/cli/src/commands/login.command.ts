import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { HeadframeClient } from 'headframe-client';
import { usageError } from '../cli-error.js';
import { command, type Context, doing, type Runtime } from '../command.js';
import { deviceLogin } from '../login/device-login.js';
import { developmentToken, EXAMPLE_ORGANIZATION } from '../login/development-token.js';
import { claimsOf, expiryOf } from '../login/token-claims.js';
import { readBytes } from '../parameters/parameters.reader.js';
import { configFolder, type Profile, ProfileStore } from '../session/profile.store.js';
import { noOrganization, onlyOrganization, profileName } from '../session/session.js';

interface LoginOptions {
  readonly token?: string;
  readonly development?: boolean;
  readonly issuer?: string;
  readonly clientId: string;
  readonly scope?: string;
  readonly resource?: string;
}

const LOCAL = 'http://localhost:3000';
/** So that the token can be renewed; whether it is, the provider decides. */
const DEVICE_SCOPE = 'openid offline_access';
const CHECK_WITHIN_MS = 5_000;

export function loginCommand(runtime: Runtime): Command {
  const login = command('login', 'Sign in to a service, and keep that as a profile', [
    ['headframe login --development', 'at a checkout: its own service and key'],
    ['headframe login --url https://compute.example', 'asks for a token'],
    ['headframe login --url https://compute.example --token - < token.txt', 'reads it'],
    [
      'headframe login --url https://compute.example --issuer https://id.example --client-id cli',
      'in a browser, by a device code',
    ],
    ['headframe login --profile lab --url https://lab.example', 'besides the other one'],
  ])
    .option('--token <token>', 'the token; - reads it from standard input, where nobody sees it')
    .option('--development', 'a development token of the checkout that this folder is in')
    .option('--issuer <url>', 'the OpenID provider to sign in at, by a device code')
    .option('--client-id <id>', 'as what the provider knows this command', 'headframe-cli')
    .option('--scope <scopes>', 'what the token is to grant')
    .option('--resource <uri>', 'whom the token is for, where the provider wants to be told');
  return doing<LoginOptions>(login, runtime, signIn);
}

async function signIn(context: Context, options: LoginOptions): Promise<void> {
  const { surroundings, terminal } = context;
  const { env, home } = surroundings;
  const store = new ProfileStore(configFolder(env, home), (text) => terminal.note(text));
  const name = profileName(context.options, env);
  const before = await store.read(name);
  const url = (context.options.url ?? (env.HEADFRAME_URL || before?.url) ?? LOCAL).replace(
    /\/+$/,
    '',
  );
  const wanted = context.options.org ?? (env.HEADFRAME_ORG || undefined);
  const granted = await tokenOf(context, options, wanted);
  const org =
    wanted ?? onlyOrganization(granted.token) ?? (before?.url === url ? before.org : undefined);
  if (org === undefined) throw noOrganization(granted.token);
  const profile: Profile = { url, org, ...granted };
  await checked(profile);
  await store.write(name, profile);
  const { sub } = claimsOf(granted.token) ?? {};
  const until = expiryOf(granted.token)?.toISOString() ?? null;
  if (terminal.isJson) terminal.json({ profile: name, url, org, subject: sub, expires_at: until });
  const whom = typeof sub === 'string' ? ` as ${sub}` : '';
  terminal.note(`Signed in to ${url}${whom}, organization ${org} (profile ${name}).`);
  if (until !== null && granted.renewal === undefined) {
    terminal.note(`The token is good until ${until}.`);
  }
}

async function tokenOf(
  { surroundings, terminal }: Context,
  { token, development = false, issuer, clientId, scope, resource }: LoginOptions,
  org: string | undefined,
): Promise<Pick<Profile, 'token' | 'renewal'>> {
  const ways = [token !== undefined, development, issuer !== undefined].filter(Boolean);
  if (ways.length > 1) {
    throw usageError(
      'There is one way to sign in at a time.',
      'Give one of --token, --development and --issuer.',
    );
  }
  if (development) {
    return { token: await developmentToken(org ?? EXAMPLE_ORGANIZATION, scope) };
  }
  if (issuer !== undefined) {
    return deviceLogin(
      { issuer, clientId, scope: scope ?? DEVICE_SCOPE, resource },
      (address, code) => {
        terminal.complain(`Open ${address}\nand enter ${terminal.paintNote('bold', code)}`);
      },
    );
  }
  const { env, stdin } = surroundings;
  if (token !== undefined && token !== '-') return { token };
  if (token === undefined && env.HEADFRAME_TOKEN) return { token: env.HEADFRAME_TOKEN };
  const read =
    stdin.isTTY === true && token === undefined
      ? await askedFor(surroundings)
      : (await readBytes('-', stdin)).toString('utf8');
  if (read.trim() !== '') return { token: read.trim() };
  throw usageError('No token was given.', 'Paste it, or: headframe login --token - < token.txt');
}

/** What is typed is not shown. */
async function askedFor({ stdin, stderr }: Context['surroundings']): Promise<string> {
  stderr.write('Token (is not shown): ');
  const prompt = createInterface({ input: stdin, terminal: true });
  try {
    return await prompt.question('');
  } finally {
    prompt.close();
    stderr.write('\n');
  }
}

/** A profile that does not work is not kept. @throws what the service says of it */
async function checked({ url, org, token }: Profile): Promise<void> {
  let client: HeadframeClient;
  try {
    client = new HeadframeClient({ url, org, token, patienceMs: CHECK_WITHIN_MS });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(error.message, 'Name the service by --url and the organization by --org.');
  }
  await client.tasks();
}
