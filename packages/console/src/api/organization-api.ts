import { ConnectionError, HeadframeClient, type Job } from 'headframe-client';
import type { JsonSchema } from '../form/json-schema.js';
import type { TaskView } from '../views/view-types.js';
import { currentSession, endSession } from '../session/session.js';
import { refusalOf } from './answer-problem.js';
import { learnClock } from './service-clock.js';
import { SERVICE_URL } from './service-address.js';

/** A task as the catalogue tells it with its details. */
export interface TaskEntry {
  readonly key: string;
  readonly topic: string;
  readonly name: string;
  readonly display_name: string;
  readonly version: string;
  readonly description: string;
  readonly feature_flag?: string;
  readonly parameters: JsonSchema;
  readonly results: JsonSchema;
  readonly example?: Readonly<Record<string, unknown>>;
  readonly view?: readonly TaskView[];
}

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

  /** The tasks with their schemas, examples and views. */
  async catalogue(signal?: AbortSignal): Promise<TaskEntry[]> {
    // Of the service's own types, but that these parts are always there with the details.
    return (await this.client.tasks({ signal, details: true })) as unknown as TaskEntry[];
  }

  /** A new job like one that has ended. */
  rerun(job: Job): Promise<Job> {
    return this.client.rerun(job);
  }

  /** A document as the service sends it, for a file. @param path below the organization's address */
  async file(path: string): Promise<Blob> {
    const response = await watchedFetch(`${SERVICE_URL}/compute/orgs/${this.org}/${path}`, {
      headers: { authorization: `Bearer ${currentToken()}` },
    });
    if (!response.ok) throw refusalOf(response, await response.json().catch(() => null));
    return response.blob();
  }

  /** @param path below the organization's address */
  async get<Body>(path: string, signal?: AbortSignal): Promise<Body> {
    const response = await watchedFetch(`${SERVICE_URL}/compute/orgs/${this.org}/${path}`, {
      headers: { authorization: `Bearer ${currentToken()}` },
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
    });
    const body: unknown = await response.json().catch(() => null);
    if (response.ok && body !== null) return body as Body;
    throw refusalOf(response, body);
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
