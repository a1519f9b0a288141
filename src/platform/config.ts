import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { httpUrl, publicUrl } from './http/paths/public-url.js';
import { wholeNumber } from './text/whole-number.js';
import { TRACING_SETTINGS } from './tracing/tracing-settings.js';

/** As RFC 6749 allows it, in one word. */
const scopeName = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be one word without quotes and backslashes');

const flag = z.stringbool({ error: 'must be true or false' });

/** As Fastify takes it: how many proxies stand in front, so that what clients put there counts nothing. */
const proxies = z
  .string()
  .regex(/^(true|false|[1-9]|10)$/i, 'must be true, false, or a number of proxies from 1 to 10')
  .transform((text) => {
    const word = text.toLowerCase();
    return word === 'false' ? (false as const) : word === 'true' ? 1 : Number(word);
  });

const oneOf = <const T extends readonly string[]>(words: T) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

const commaList = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .pipe(z.array(z.string().min(1, 'must have something between its commas')));

const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a postgres:// address',
});

/** As browsers send it: scheme, host and port, without a slash behind. */
const origin = httpUrl.transform((url) => new URL(url).origin);

const publicKey = z
  .string()
  .transform((pem) => pem.replaceAll('\\n', '\n'))
  .refine(isPublicKey, 'must be an RSA or EC public key in PEM (-----BEGIN PUBLIC KEY-----)');

function isPublicKey(pem: string): boolean {
  try {
    // A private key would pass for its public half: it has no business here.
    return (
      pem.includes('BEGIN PUBLIC KEY') &&
      /^(rsa|ec)$/.test(String(createPublicKey(pem).asymmetricKeyType))
    );
  } catch {
    return false;
  }
}

/**
 * Every variable that the service reads, with its default and a sentence for people: the README's
 * table and `.env.example` are checked against it.
 */
export const CONFIG_SCHEMA = z.object({
  NODE_ENV: oneOf(['development', 'test', 'production'])
    .default('development')
    .describe('`production` refuses a development key and the embedded database.'),
  PORT: wholeNumber(0, 65535).default(3000).describe('Port to listen on; 0 takes a free one.'),
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on; `0.0.0.0` for all, as in a container.'),
  PUBLIC_URL: publicUrl
    .optional()
    .describe(
      'Address under which clients reach the service, path prefix included, without query and fragment; links use it.',
    ),
  TRUST_PROXY: proxies
    .default(false)
    .describe(
      'Whether to believe `X-Forwarded-*` headers: `true` behind a proxy that sets them, or how many there are in a row.',
    ),
  DATABASE_URL: postgresUrl
    .optional()
    .describe('PostgreSQL 15 or later; unset: an embedded server in the data home.'),
  DATABASE_OWNER_URL: postgresUrl
    .optional()
    .describe(
      'The same with the login that owns the tables, for migrations and `limits`; unset: `DATABASE_URL`.',
    ),
  DATABASE_API_URL: postgresUrl
    .optional()
    .describe('The same with a login for requests alone; unset: `DATABASE_URL`.'),
  DATABASE_DIRECT_URL: postgresUrl
    .optional()
    .describe(
      'The server itself, if `DATABASE_URL` and `DATABASE_API_URL` lead through a connection pooler such as PgBouncer: for heartbeats, notifications and locks.',
    ),
  DATABASE_POOL_SIZE: wholeNumber(2, 200)
    .default(10)
    .describe('Connections of this process, besides one for heartbeats and notifications.'),
  DATA_HOME: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the embedded database and the development key; default `.headframe`.'),
  MIGRATE: flag.default(true).describe('Whether to apply outstanding migrations at the start.'),
  ROLE: oneOf(['all', 'api', 'worker'])
    .default('all')
    .describe('`api` answers clients, `worker` runs jobs, `all` does both.'),
  WORKER_SLOTS: wholeNumber(1, 1024)
    .default(2)
    .describe(
      'How many jobs this process runs at once; kriging and IDW use the threads of idle slots, too.',
    ),
  WORKER_TASKS: commaList
    .pipe(
      z.array(
        z
          .string()
          .regex(
            /^[a-z0-9*-]+\/[a-z0-9*-]+$/,
            'must be patterns like geostatistics/* or */kriging',
          ),
      ),
    )
    .default(['*/*'])
    .describe('Which tasks it runs: patterns `topic/task` with `*`, separated by commas.'),
  TASKS_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder below which manifests (`task.json`) of process tasks are looked for.'),
  WORKER_MEMORY_MB: wholeNumber(64, 65536)
    .default(2048)
    .describe('JavaScript heap of one task thread in MiB; a task that needs more fails.'),
  LEASE_SECONDS: wholeNumber(3, 600)
    .default(15)
    .describe(
      'How long a worker may be silent before its jobs are given to others; it beats three times as often.',
    ),
  SHUTDOWN_SECONDS: wholeNumber(0, 3600)
    .default(30)
    .describe('How long a stopping worker lets its jobs finish before it hands them back.'),
  RETENTION_DAYS: wholeNumber(0, 36_500)
    .default(30)
    .describe(
      'How long ended jobs are kept, unless `limits` says otherwise for their organization; 0: for ever. Give all replicas the same.',
    ),
  AUTH_JWT_SECRET: z
    .string()
    .min(32, 'must have at least 32 characters')
    .optional()
    .describe('Shared secret of HS256, HS384 or HS512 tokens.'),
  AUTH_JWT_PUBLIC_KEY: publicKey
    .optional()
    .describe('PEM public key (RSA or EC) of the tokens; `\\n` may stand for line breaks.'),
  AUTH_JWKS_URI: httpUrl.optional().describe('Address of the key set (JWKS) of the tokens.'),
  AUTH_ISSUER: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The `iss` that tokens must carry; an http(s) address without a key beside it is asked for its keys (OpenID Connect Discovery).',
    ),
  AUTH_AUDIENCE: z.string().min(1).optional().describe('An `aud` that tokens must carry.'),
  AUTH_ORGS_CLAIM: z
    .string()
    .min(1)
    .default('orgs')
    .describe('Claim with the organizations: a UUID or a list of them; dots lead into objects.'),
  AUTH_SCOPES_CLAIM: z
    .string()
    .min(1)
    .default('scope')
    .describe('Claim with the scopes: words in one text, or a list; dots lead into objects.'),
  AUTH_SCOPE_READ: scopeName
    .default('compute:read')
    .describe('How tokens call the scope to read status, results and the catalogue.'),
  AUTH_SCOPE_EXECUTE: scopeName
    .default('compute:execute')
    .describe('How tokens call the scope to execute tasks and cancel jobs.'),
  AUTH_SCOPE_ADMIN: scopeName
    .default('compute:admin')
    .describe('How tokens call the scope to administer an organization; it contains no other.'),
  AUTH_TOKEN_TYPE: oneOf(['jwt', 'at+jwt'])
    .default('jwt')
    .describe(
      '`at+jwt` takes only access tokens by RFC 9068, `jwt` also those of providers that do not follow it.',
    ),
  RATE_LIMIT_SUBMITS: wholeNumber(0, 1_000_000)
    .default(6_000)
    .describe('Jobs an organization may submit in a minute, and as many it may cancel; 0: any.'),
  RATE_LIMIT_POLLS: wholeNumber(0, 10_000_000)
    .default(60_000)
    .describe(
      'Statuses, results, details and logs an organization may ask for in a minute; 0: any.',
    ),
  RATE_LIMIT_REQUESTS: wholeNumber(0, 1_000_000)
    .default(3_000)
    .describe('All other requests of an organization in a minute; 0: any.'),
  RATE_LIMIT_FAILURES: wholeNumber(0, 1_000_000)
    .default(300)
    .describe('Wrong tokens in a minute from one address (IPv6: one /64); 0: any.'),
  RATE_LIMIT_ADDRESS: wholeNumber(0, 10_000_000)
    .default(0)
    .describe(
      'All requests in a minute from one address (IPv6: one /64), for where clients come directly; 0: any.',
    ),
  MAX_CONNECTIONS: wholeNumber(1, 1_000_000)
    .default(10_000)
    .describe('Open connections of clients; more are closed as they come.'),
  MAX_STREAMS_ORG: wholeNumber(0, 100_000)
    .default(100)
    .describe('Event streams that a process keeps open for one organization; more get 429.'),
  MAX_STREAMS: wholeNumber(0, 100_000)
    .default(2_000)
    .describe('Event streams that a process keeps open for all; more get 429.'),
  MAX_WAITS_ORG: wholeNumber(0, 100_000)
    .default(500)
    .describe(
      'Requests of one organization that a process holds back at once for `Prefer: wait`; more are answered at once.',
    ),
  MAX_WAITS: wholeNumber(0, 100_000)
    .default(5_000)
    .describe('Requests of all that a process holds back at once; more are answered at once.'),
  MAX_WAIT_SECONDS: wholeNumber(0, 600)
    .default(60)
    .describe(
      'Longest that a request is held back; longer waits are cut to it, and 0 grants none.',
    ),
  BODY_LIMIT_BYTES: wholeNumber(1024, 512 * 1024 * 1024)
    .default(8 * 1024 * 1024)
    .describe('Largest request body.'),
  BODY_BUDGET_ORG_BYTES: wholeNumber(1024, 4 * 1024 * 1024 * 1024)
    .default(24 * 1024 * 1024)
    .describe(
      'Bytes of request bodies that a process holds at once for one organization; more gets 429. At least `BODY_LIMIT_BYTES`.',
    ),
  BODY_BUDGET_BYTES: wholeNumber(1024, 4 * 1024 * 1024 * 1024)
    .default(64 * 1024 * 1024)
    .describe(
      'Bytes of request bodies that a process holds at once for all; more gets 503. At least `BODY_BUDGET_ORG_BYTES`.',
    ),
  CORS_ORIGINS: commaList
    .pipe(
      z.array(
        z.union([origin, z.literal('*')], { error: 'must be http:// or https:// origins, or *' }),
      ),
    )
    .default([])
    .describe('Origins whose browsers may call the API, separated by commas; `*` for any.'),
  CONSOLE: flag.default(true).describe('Whether to serve the console at `/console`.'),
  CONSOLE_CLIENT_ID: z
    .string()
    .regex(/^[\x20-\x7e]{1,200}$/, 'must be at most 200 visible characters')
    .optional()
    .describe(
      'Client id of the console at the provider in `AUTH_ISSUER`, for sign-in with PKCE; unset: by a pasted token.',
    ),
  CONSOLE_SCOPE: z
    .string()
    .regex(/^[\x20-\x7e]{1,1000}$/, 'must be words separated by blanks')
    .optional()
    .describe(
      'Scopes that the console asks the provider for; unset: `openid` and the three scopes above.',
    ),
  METRICS_PORT: wholeNumber(0, 65535)
    .optional()
    .describe(
      'Port of `/metrics`, beside `PORT`; 0 takes a free one. Unset: on `PORT` in development, nowhere in production.',
    ),
  METRICS_BY_ORGANIZATION: flag
    .default(false)
    .describe(
      'Whether `/metrics` also tells by organization: of the first 200 it meets, the rest together.',
    ),
  ...TRACING_SETTINGS,
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
});

export type Config = z.output<typeof CONFIG_SCHEMA>;

/** Injection token of the parsed {@link Config}. */
export const CONFIG = Symbol('CONFIG');

/** The start was refused: the message is for the operator and names every wrong variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Parses the environment. Empty variables count as unset, as compose files produce them.
 * @throws ConfigError that names all wrong variables at once, never their values
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const present: NodeJS.ProcessEnv = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = CONFIG_SCHEMA.safeParse(present);
  const faults = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${String(path[0])}: ${message}`),
    ...contradictions(present),
  ];
  if (parsed.success) {
    faults.push(...disorderedLimits(parsed.data));
  }
  if (!parsed.success || faults.length > 0) {
    throw new ConfigError(
      ['Headframe cannot start: correct these environment variables (see .env.example).']
        .concat(faults.map((fault) => `  ${fault}`))
        .join('\n'),
    );
  }
  return parsed.data;
}

/** Whether an issuer can be asked for its keys: not every `iss` is an address. */
export const isIssuerAddress = (issuer: string | undefined): boolean =>
  issuer !== undefined && URL.canParse(issuer) && /^https?:$/.test(new URL(issuer).protocol);

/** Where what is measured can be read: at an address of its own, at that of the API, or nowhere. */
export const metricsPlace = ({
  NODE_ENV,
  METRICS_PORT,
}: Pick<Config, 'NODE_ENV' | 'METRICS_PORT'>): 'own port' | 'main port' | 'nowhere' =>
  METRICS_PORT !== undefined ? 'own port' : NODE_ENV === 'production' ? 'nowhere' : 'main port';

/** A budget below what it is a budget of would always refuse the largest body. */
function disorderedLimits(config: Config): string[] {
  const order = ['BODY_LIMIT_BYTES', 'BODY_BUDGET_ORG_BYTES', 'BODY_BUDGET_BYTES'] as const;
  return order
    .slice(1)
    .map((name, index) => [name, order[index] as (typeof order)[number]] as const)
    .filter(([name, least]) => config[name] < config[least])
    .map(([name, least]) => `${name}: must be at least ${least}`);
}

/** Through a pooler a session's settings come with its login, so those of requests need their own. */
function sharedLogins({ DATABASE_URL, DATABASE_API_URL }: NodeJS.ProcessEnv): string[] {
  const [service, requests] = [DATABASE_URL, DATABASE_API_URL].map((url) =>
    url !== undefined && URL.canParse(url) ? new URL(url).username : undefined,
  );
  return requests === undefined || requests === service
    ? ['DATABASE_API_URL: must be set beside DATABASE_DIRECT_URL, with a login of its own']
    : [];
}

/** What cannot hold together, whether or not each variable by itself is right. */
function contradictions(present: NodeJS.ProcessEnv): string[] {
  const keys = ['AUTH_JWKS_URI', 'AUTH_JWT_PUBLIC_KEY', 'AUTH_JWT_SECRET'].filter(
    (name) => present[name] !== undefined,
  );
  const faults: string[] = [];
  if (keys.length > 1) {
    faults.push(`${keys.join(', ')}: set only one of them`);
  }
  for (const name of ['DATABASE_OWNER_URL', 'DATABASE_API_URL', 'DATABASE_DIRECT_URL']) {
    if (present[name] !== undefined && present.DATABASE_URL === undefined) {
      faults.push(`${name}: goes with DATABASE_URL, which is not set`);
    }
  }
  if (present.CONSOLE_CLIENT_ID !== undefined && !isIssuerAddress(present.AUTH_ISSUER)) {
    faults.push('CONSOLE_CLIENT_ID: goes with AUTH_ISSUER, which is not set to an address');
  }
  if (present.DATABASE_DIRECT_URL !== undefined) {
    faults.push(...sharedLogins(present));
  }
  if (present.NODE_ENV === 'production') {
    if (present.DATABASE_URL === undefined) {
      faults.push(
        'DATABASE_URL: must be set in production; the embedded database is for development',
      );
    }
    if (present.ROLE !== 'worker' && keys.length === 0 && !isIssuerAddress(present.AUTH_ISSUER)) {
      faults.push(
        'AUTH_ISSUER (an address), AUTH_JWKS_URI, AUTH_JWT_PUBLIC_KEY or AUTH_JWT_SECRET: one must be set in production',
      );
    }
    if (present.AUTH_JWT_SECRET?.startsWith(DEVELOPMENT_KEY_PREFIX)) {
      faults.push('AUTH_JWT_SECRET: a development key must not be used in production');
    }
  }
  return faults;
}

/** Every generated development key begins with this, so that production can refuse it. */
export const DEVELOPMENT_KEY_PREFIX = 'headframe-development-';
