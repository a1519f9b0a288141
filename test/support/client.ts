import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadframeClient, type Job, RequestError } from 'headframe-client';
import { judgedFetch } from './judged-answer.js';
import { token as tokenFor } from './tokens.js';

/** What a request came to. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; fails when it is not JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
  readonly body: any;
}

/**
 * A client of one organization. Jobs go through the package that we offer; requests that are malformed on
 * purpose, and answers that are looked at as they came, do not: here nothing is checked, repeated or
 * followed. Every answer, of either, is judged by the schema of its body.
 */
export class Client {
  private readonly jobs: HeadframeClient;

  constructor(
    readonly url: string,
    readonly org: string,
    readonly token: string,
  ) {
    // Without patience: a test sees the first answer.
    this.jobs = new HeadframeClient({ url, org, token, patienceMs: 0, fetch: judgedFetch });
  }

  /** @param path absolute, or below the organization */
  async request(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const address = path.startsWith('/') ? path : `/compute/orgs/${this.org}/${path}`;
    const response = await judgedFetch(this.url + address, {
      ...init,
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${this.token}`, ...(init.headers as object) },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get body() {
        return JSON.parse(text);
      },
    };
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('GET', path, { headers });
  }

  delete(path: string): Promise<Answer> {
    return this.request('DELETE', path);
  }

  /** @param task `topic/name` */
  execute(task: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('POST', task, {
      headers: { 'content-type': 'application/json', ...headers },
      body:
        typeof body === 'string' || body instanceof Uint8Array
          ? (body as string)
          : JSON.stringify(body),
    });
  }

  /** Submits a job. @returns the path of the job; its status is `${path}/status` */
  async submit(task: string, parameters: object, options?: object): Promise<string> {
    const job = await this.jobs.submit(task, parameters, { options });
    return new URL(this.jobs.addressOf(job)).pathname;
  }

  /** Polls until the job's status body satisfies the condition; fails after the patience. */
  async waitFor(
    path: string,
    // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
    condition: (status: any) => boolean,
    patienceMs = 20_000,
    // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
  ): Promise<any> {
    const job = jobAt(path);
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = await this.jobs.status(job).catch(refusal);
      if (!(found instanceof RequestError) && condition(found)) {
        return found;
      }
      if (Date.now() > deadline) {
        const told = found instanceof RequestError ? found.message : JSON.stringify(found);
        throw new Error(`waited in vain; the last status was ${told}`);
      }
      await sleep(20);
    }
  }

  /** Polls until the job has ended. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
  ended(job: string, patienceMs?: number): Promise<any> {
    return this.waitFor(job, ({ links }) => 'result' in links, patienceMs);
  }
}

/** A client of an organization of its own. */
export async function ownClient(url: string, scope?: string): Promise<Client> {
  const org = randomUUID();
  return new Client(url, org, await tokenFor(org, scope === undefined ? {} : { scope }));
}

/** The job that a path names. */
function jobAt(path: string): Job {
  const [topic, task, id = ''] = path.split('/').slice(-3);
  return { task: `${topic}/${task}`, id };
}

/** An answer like another, for who waits; anything else is thrown on. */
function refusal(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  throw error;
}
