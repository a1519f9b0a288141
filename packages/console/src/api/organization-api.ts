import {
  ConnectionError,
  HeadframeClient,
  type Job,
  type Problem,
  RequestError,
} from 'headframe-client';
import { currentSession, endSession } from '../session/session.js';
import { learnClock } from './service-clock.js';
import { SERVICE_URL } from './service-address.js';

/** Most that one answer may take: pages say meanwhile that they wait. */
const TIMEOUT_MS = 30_000;

/** The API of one organization: the client, and the few reads of the console's own. */
export class OrganizationApi {
  readonly client: HeadframeClient;

  constructor(readonly org: string) {
    this.client = new HeadframeClient({
      url: SERVICE_URL,
      org,
      token: currentToken,
      // The page itself shows that it waits, and asks again.
      patienceMs: 0,
      timeoutMs: TIMEOUT_MS,
      fetch: watchedFetch,
    });
  }

  /** What a job was given, and how large that is. */
  parameters(job: Job, signal?: AbortSignal): Promise<{ parameters: object }> {
    return this.get(`${job.task}/${job.id}/parameters`, signal);
  }

  /** @param path below the organization's address */
  async get<Body>(path: string, signal?: AbortSignal): Promise<Body> {
    const response = await watchedFetch(`${SERVICE_URL}/compute/orgs/${this.org}/${path}`, {
      headers: { authorization: `Bearer ${currentToken()}` },
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
    });
    const body: unknown = await response.json().catch(() => null);
    if (response.ok && body !== null) return body as Body;
    throw refusal(response, body);
  }
}

/** The token of this moment: a session that was renewed has another. */
export function currentToken(): string {
  const state = currentSession();
  return state.kind === 'in' || state.kind === 'expired' ? state.session.token : '';
}

/** Like `fetch`; a token that is good no more ends the session. */
export async function watchedFetch(
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(input, init);
  } catch (cause) {
    init?.signal?.throwIfAborted();
    throw new ConnectionError('The service cannot be reached.', { cause });
  }
  learnClock(response.headers);
  if (response.status === 401) endSession();
  return response;
}

function refusal(response: Response, body: unknown): RequestError {
  const seconds = Number(response.headers.get('retry-after'));
  return new RequestError(
    response.status,
    (body as Problem | null) ?? {
      status: response.status,
      type: 'about:blank',
      title: `The service answered ${response.status}.`,
    },
    response.headers.get('x-request-id'),
    seconds > 0 ? seconds : null,
  );
}
