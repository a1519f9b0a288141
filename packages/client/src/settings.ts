import { isUuid } from './job.js';
import type { TokenSource, TransportSettings } from './http/transport.js';

/** Whom to talk to, as whom, and how patiently. */
export interface ClientSettings {
  /** Where the service is, such as `https://compute.example` or `https://example/compute-api`. */
  readonly url: string;
  /** The organization, a UUID. */
  readonly org: string;
  /** A bearer token that grants it, or a function that gets one, asked before every request. */
  readonly token: TokenSource;
  /**
   * Milliseconds for which a request is repeated while the service is out of reach or busy; default
   * 60,000. 0: each request is sent once.
   */
  readonly patienceMs?: number;
  /** Milliseconds that one attempt may take, the body of its answer included; default 60,000. */
  readonly timeoutMs?: number;
  /** Instead of the global `fetch`: for proxies, tracing, tests. */
  readonly fetch?: typeof fetch;
  /**
   * Whether to follow the redirect that answers a submit. Default: only in browsers, where it cannot be
   * read. It costs one more request.
   */
  readonly redirect?: 'manual' | 'follow';
  /** Whether to follow jobs by streams of events where there are any; default true. False: polls only. */
  readonly events?: boolean;
}

/** @throws TypeError when the address is none, the organization is no UUID, or a time is negative */
export function transportSettings(settings: ClientSettings): TransportSettings {
  const { origin, pathname, protocol } = new URL(settings.url);
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TypeError('The address of the service begins with http:// or https://.');
  }
  if (!isUuid(settings.org)) throw new TypeError('The organization is named by its UUID.');
  const { patienceMs = 60_000, timeoutMs = 60_000 } = settings;
  if (!(patienceMs >= 0) || !(timeoutMs > 0)) {
    throw new TypeError('patienceMs is at least 0, and timeoutMs more than that.');
  }
  return {
    url: origin + pathname.replace(/\/+$/, ''),
    token: settings.token,
    // Called as a function of its own: a browser's refuses to be a method of something else.
    fetch: settings.fetch ?? ((input, init) => fetch(input, init)),
    timeoutMs,
    patienceMs,
    redirect: settings.redirect ?? (isBrowser() ? 'follow' : 'manual'),
  };
}

function isBrowser(): boolean {
  return 'document' in globalThis || 'WorkerGlobalScope' in globalThis;
}
