/** A problem details body (RFC 9457), as the service sends it and as a failed job carries it. */
interface ProblemBody {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail?: string;
}

/** What the status resource tells. */
interface JobStatus {
  /** `requested`, `in progress`, `canceling`, `succeeded`, `failed` or `canceled`. */
  readonly status: string;
  /** 0–100. */
  readonly progress: number;
  readonly message?: string;
}

/** One look at a job: its status, whether that is the last one, and when to look again. */
export interface StatusReply extends JobStatus {
  readonly ended: boolean;
  /** As the service asks for; 0 when it does not. */
  readonly retryAfterSeconds: number;
}

/** What an ended job left: results when it succeeded, else why it did not. */
export interface Outcome<R> {
  readonly status: string;
  readonly results?: R;
  readonly error?: ProblemBody;
}

/** The service refused a request, or said something that the contract does not know. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
}

/** The four calls of the Task API that a job needs, over plain HTTP as any client makes them. */
export class TaskApiClient {
  /**
   * @param baseUrl where the service listens, such as `http://127.0.0.1:3000`
   * @param token a bearer token that grants the organizations to be used
   */
  constructor(
    private readonly baseUrl: string,
    private readonly token: string,
  ) {}

  /**
   * Creates a job.
   * @returns the address of its status, from the `Location` of the 303
   */
  async execute(path: string, parameters: object): Promise<string> {
    const reply = await this.send('POST', new URL(path, this.baseUrl).href, { parameters });
    const location = reply.headers.get('location');
    if (reply.status !== 303 || location === null)
      throw await refusal(reply, '303 with a Location');
    return new URL(location, this.baseUrl).href;
  }

  async status(statusUrl: string): Promise<StatusReply> {
    const reply = await this.send('GET', statusUrl);
    if (reply.status !== 200 && reply.status !== 202) throw await refusal(reply, '200 or 202');
    const body = (await reply.json()) as JobStatus;
    const retryAfterSeconds = Number(reply.headers.get('retry-after') ?? 0) || 0;
    return { ...body, ended: reply.status === 200, retryAfterSeconds };
  }

  /** @param jobUrl of an ended job */
  async outcome<R>(jobUrl: string): Promise<Outcome<R>> {
    const reply = await this.send('GET', jobUrl);
    if (reply.status !== 200) throw await refusal(reply, '200');
    return (await reply.json()) as Outcome<R>;
  }

  async cancel(jobUrl: string): Promise<void> {
    const reply = await this.send('DELETE', jobUrl);
    if (reply.status !== 204) throw await refusal(reply, '204');
  }

  private send(method: string, url: string, body?: object): Promise<Response> {
    return fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }
}

/** The job's own address, which has its results, from that of its status. */
export function jobUrlOf(statusUrl: string): string {
  return statusUrl.replace(/\/status$/, '');
}

/** One line for people about a problem. */
export function tellProblem({ status, title, detail }: ProblemBody): string {
  return [`${status}`, title, detail].filter((part) => part !== undefined && part !== '').join(' ');
}

async function refusal(reply: Response, expected: string): Promise<ApiError> {
  const text = await reply.text();
  let told = text.slice(0, 500);
  try {
    const problem = JSON.parse(text) as ProblemBody;
    if (typeof problem.title === 'string') told = tellProblem(problem);
  } catch {
    // Not from the service, perhaps a proxy: its own words have to do.
  }
  return new ApiError(`Expected ${expected}, got ${reply.status}. ${told}`.trim());
}
