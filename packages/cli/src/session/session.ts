import { HeadframeClient, type Job } from 'headframe-client';
import { CliError, usageError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import { expiryOf, organizationsOf } from '../login/token-claims.js';
import { renewed } from '../login/token-renewal.js';
import type { Surroundings } from '../surroundings.js';
import type { Terminal } from '../terminal/terminal.js';
import { tellSeconds } from '../duration.js';
import { LastJobStore } from './last-job.store.js';
import { configFolder, type Profile, ProfileStore } from './profile.store.js';

/** What names a session on the command line. */
export interface SessionOptions {
  readonly profile?: string | undefined;
  readonly url?: string | undefined;
  readonly org?: string | undefined;
}

export const DEFAULT_PROFILE = 'default';
/** How long a command tries to reach the service, but for those that wait for a job. */
const PATIENCE_MS = 10_000;
/** Before a token expires it is made anew. */
const RENEW_BEFORE_MS = 30_000;

/** Whom this command talks to, and as whom. */
export class Session {
  private constructor(
    readonly url: string,
    readonly org: string,
    /** Where the token comes from, for people. */
    readonly origin: string,
    private profile: Profile,
    private readonly keep: (profile: Profile) => Promise<void>,
    private readonly terminal: Terminal,
    readonly lastJob: LastJobStore,
  ) {}

  /**
   * Of the options, else the environment, else the profile.
   * @throws CliError when something is missing, or the token has expired
   */
  static async open(
    options: SessionOptions,
    surroundings: Surroundings,
    terminal: Terminal,
  ): Promise<Session> {
    const { env, home } = surroundings;
    const folder = configFolder(env, home);
    const store = new ProfileStore(folder, (text) => terminal.note(text));
    const name = profileName(options, env);
    const profile = await store.read(name);
    const isNamed = (options.profile ?? env.HEADFRAME_PROFILE ?? '') !== '';
    if (profile === null && isNamed) throw await unknownProfile(name, store);
    const url = options.url ?? nonEmpty(env.HEADFRAME_URL) ?? profile?.url;
    const own = nonEmpty(env.HEADFRAME_TOKEN);
    const token = own ?? profile?.token;
    if (url === undefined || token === undefined) throw notSignedIn(url, token);
    // A token is told to nobody but the service that it was given for.
    if (own === undefined && !isSameService(url, profile?.url)) {
      throw usageError(
        `Profile ${name} is for ${profile?.url}, and its token is not sent elsewhere.`,
        `Sign in there: headframe login --url ${url} --profile NAME`,
      );
    }
    const org =
      options.org ??
      nonEmpty(env.HEADFRAME_ORG) ??
      (own === undefined ? profile?.org : onlyOrganization(token));
    if (org === undefined) throw noOrganization(token);
    const used: Profile = { ...profile, url, org, token, ...(own && { renewal: undefined }) };
    const origin = own === undefined ? `profile ${name}` : 'HEADFRAME_TOKEN';
    const lastJob = new LastJobStore(folder, { url, org });
    const keep = (fresh: Profile) => store.write(name, { ...fresh, org: profile?.org ?? org });
    const session = new Session(url, org, origin, used, keep, terminal, lastJob);
    session.refuseExpired();
    return session;
  }

  /** @param patienceMs how long it tries to reach the service */
  client(patienceMs = PATIENCE_MS, fetching?: typeof fetch): HeadframeClient {
    const { url, org } = this;
    const settings = { url, org, patienceMs, ...(fetching && { fetch: fetching }) };
    try {
      return new HeadframeClient({ ...settings, token: () => this.token() });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw usageError(error.message, 'Name the service by --url and the organization by --org.');
    }
  }

  /** A token that is good for a moment, made anew if need be. */
  async token(): Promise<string> {
    const { renewal, token } = this.profile;
    if (renewal === undefined || !expiresWithin(token, RENEW_BEFORE_MS)) return token;
    const fresh = await renewed(renewal);
    this.profile = { ...this.profile, ...fresh };
    await this.keep(this.profile);
    return fresh.token;
  }

  /** Keeps a job as the last one; that it cannot be kept is no reason to fail. */
  async noteLast(job: Job): Promise<void> {
    await this.lastJob.write(job).catch((error: Error) => {
      this.terminal.note(`@latest does not know this job: ${error.message}`);
    });
  }

  private refuseExpired(): void {
    const { token, renewal } = this.profile;
    const expiry = expiryOf(token);
    if (expiry === null || expiry.getTime() > Date.now() || renewal !== undefined) return;
    const ago = tellSeconds((Date.now() - expiry.getTime()) / 1000);
    throw new CliError(
      EXIT.notPermitted,
      `The token of ${this.origin} expired ${ago} ago.`,
      'Sign in again: headframe login',
    );
  }
}

/** The name of the profile that is meant. */
export function profileName(
  { profile }: SessionOptions,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return profile ?? nonEmpty(env.HEADFRAME_PROFILE) ?? DEFAULT_PROFILE;
}

/** The organization of a token that grants one only. */
export function onlyOrganization(token: string): string | undefined {
  const granted = organizationsOf(token);
  return granted.length === 1 ? granted[0] : undefined;
}

export function noOrganization(token: string): CliError {
  const granted = organizationsOf(token);
  return usageError(
    'The organization is not known.',
    granted.length === 0
      ? 'Name it by --org UUID or HEADFRAME_ORG.'
      : `The token grants ${granted.join(', ')}: name one by --org or HEADFRAME_ORG.`,
  );
}

function expiresWithin(token: string, ms: number): boolean {
  const expiry = expiryOf(token);
  return expiry !== null && expiry.getTime() - Date.now() < ms;
}

const nonEmpty = (text: string | undefined): string | undefined => text || undefined;

function isSameService(url: string, other: string | undefined): boolean {
  const plain = (text: string) => text.replace(/\/+$/, '');
  return other !== undefined && plain(url) === plain(other);
}

function notSignedIn(url: string | undefined, token: string | undefined): CliError {
  const given = url !== undefined || token !== undefined;
  const missing = url === undefined ? 'the address of the service' : 'a token';
  return usageError(
    given ? `Not signed in: ${missing} is missing.` : 'Not signed in: there is no profile yet.',
    'Sign in: headframe login --url https://compute.example\n' +
      'At a checkout of the project, with npm start in another terminal: headframe login --development\n' +
      'Or set HEADFRAME_URL, HEADFRAME_ORG and HEADFRAME_TOKEN.',
  );
}

async function unknownProfile(name: string, store: ProfileStore): Promise<CliError> {
  const names = await store.names();
  const known = names.length === 0 ? 'There is none yet.' : `There is ${names.join(', ')}.`;
  return usageError(
    `There is no profile ${name}. ${known}`,
    `Make it: headframe login --profile ${name} --url https://compute.example`,
  );
}
