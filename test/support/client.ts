import { setTimeout as sleep } from 'node:timers/promises';

/** What a request came to. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; fails when it is not JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
  readonly body: any;
}

/** A client of one organization, as the contract describes one: it never follows the 303. */
export class Client {
  constructor(
    readonly url: string,
    readonly org: string,
    readonly token: string,
  ) {}

  /** @param path absolute, or below the organization */
  async request(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const address = path.startsWith('/') ? path : `/compute/orgs/${this.org}/${path}`;
    const response = await fetch(this.url + address, {
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
    const answer = await this.execute(task, { parameters, options });
    if (answer.status !== 303) {
      throw new Error(`execute answered ${answer.status}: ${answer.text}`);
    }
    return (answer.headers.get('location') as string).replace(/\/status$/, '');
  }

  /** Polls until the job's status body satisfies the condition; fails after the patience. */
  async waitFor(
    job: string,
    // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
    condition: (status: any) => boolean,
    patienceMs = 20_000,
    // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
  ): Promise<any> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const { status, text } = await this.get(`${job}/status`);
      if (status < 300 && condition(JSON.parse(text))) {
        return JSON.parse(text);
      }
      if (Date.now() > deadline) {
        throw new Error(`waited in vain; the last status was ${status}: ${text}`);
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
