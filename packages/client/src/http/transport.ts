import { within } from './abort.js';
import { ConnectionError, RequestError, UnexpectedAnswerError } from '../errors.js';
import { persist, type Signals } from './retry.js';
import type { Problem } from '../wire-types.js';

/** A bearer token, or what gets one; it is asked before every request, so that it can renew it. */
export type TokenSource = string | (() => string | Promise<string>);

/** One request. */
export interface Request extends Signals {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Absolute, below the address of the service. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, as text: each attempt sends the same bytes. */
  readonly body?: string;
  /** It must not be done twice: it is repeated only when it is known to have done nothing. */
  readonly once?: boolean | undefined;
}

/** A whole answer. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Where a redirect led to; null when none was followed. */
  readonly redirectedTo: string | null;
}

export interface TransportSettings {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: TokenSource;
  readonly fetch: typeof fetch;
  /** How long one attempt may take, the body of its answer included. */
  readonly timeoutMs: number;
  /** How long attempts are repeated; 0: never. */
  readonly patienceMs: number;
  /** Browsers do not show where an answer redirects to: there it must be followed. */
  readonly redirect: 'manual' | 'follow';
}

const EVENT_STREAM = 'text/event-stream';

/** Sends requests, with the token, and again when that may help. */
export class Transport {
  constructor(private readonly settings: TransportSettings) {}

  /** Whether failed attempts are repeated. */
  get isPatient(): boolean {
    return this.settings.patienceMs > 0;
  }

  /**
   * @param isExpected whether an answer is one of those that the caller can use
   * @throws RequestError for any other answer, ConnectionError when none came
   */
  send(request: Request, isExpected: (reply: Reply) => boolean): Promise<Reply> {
    const { patienceMs, timeoutMs } = this.settings;
    return persist(patienceMs, request, async () => {
      const reply = await within(timeoutMs, request.signal, (signal) =>
        this.attempt(request, signal, wholeReply),
      );
      if (!isExpected(reply)) throw refusal(reply);
      return reply;
    });
  }

  /** @param expected the codes that the caller can use */
  get(path: string, signal: AbortSignal | undefined, expected = [200]): Promise<Reply> {
    return this.send({ method: 'GET', path, signal }, ({ status }) => expected.includes(status));
  }

  /** @param body JSON, as text. @returns an answer with 200 */
  post(
    path: string,
    body: string,
    request: Pick<Request, 'signal' | 'once'> & { readonly headers?: Record<string, string> },
  ): Promise<Reply> {
    const headers = { 'content-type': 'application/json', ...request.headers };
    return this.send(
      { ...request, method: 'POST', path, headers, body },
      ({ status }) => status === 200,
    );
  }

  /**
   * Opens a stream of events, once: the body of the answer is still to come.
   * @param signal ends the stream, too
   * @returns an answer with 200 and a body, or one with 204
   */
  async openStream(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response> {
    const request: Request = {
      method: 'GET',
      path,
      headers: { ...headers, accept: EVENT_STREAM },
      signal,
    };
    const answer = await this.attempt<Response | Reply>(request, signal, async (response) =>
      isStream(response) ? response : wholeReply(response),
    );
    if (answer instanceof Response) return answer;
    throw refusal(answer);
  }

  /** @param read what is wanted of the answer; it may break while that is read */
  private async attempt<R>(
    request: Request,
    signal: AbortSignal,
    read: (response: Response) => Promise<R>,
  ): Promise<R> {
    const { url, token, redirect } = this.settings;
    const bearer = typeof token === 'string' ? token : await token();
    try {
      const response = await this.settings.fetch(url + request.path, {
        method: request.method,
        headers: { ...request.headers, authorization: `Bearer ${bearer}` },
        body: request.body ?? null,
        redirect,
        signal,
      });
      return await read(response);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new ConnectionError(`No answer from ${url}: ${causeOf(error)}`, { cause: error });
    }
  }
}

async function wholeReply(response: Response): Promise<Reply> {
  return {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    redirectedTo: response.redirected ? response.url : null,
  };
}

/** Whether it is a stream of events, or says that there are no more. */
function isStream({ status, headers }: Response): boolean {
  if (status === 204) return true;
  return status === 200 && (headers.get('content-type') ?? '').startsWith(EVENT_STREAM);
}

/**
 * The JSON object of an answer.
 * @param members that it must have; the rest is left to whoever reads it
 * @throws UnexpectedAnswerError when it is none, or lacks one of them
 */
export function jsonOf<Body extends object>(
  { status, text }: Reply,
  ...members: readonly (keyof Body & string)[]
): Body {
  const body = objectIn(text);
  if (body !== null && members.every((member) => member in body)) return body as Body;
  const expected = members.length === 0 ? '' : ` with ${members.join(', ')}`;
  const got = `${status} ${text.slice(0, 100)}`;
  throw new UnexpectedAnswerError(`Expected a JSON object${expected}, got ${got}`);
}

/**
 * The same of an object with a list in it.
 * @throws UnexpectedAnswerError when that is no list
 */
export function listOf<Body extends object>(reply: Reply, member: keyof Body & string): Body {
  const body = jsonOf<Body>(reply, member);
  if (Array.isArray(body[member])) return body;
  throw new UnexpectedAnswerError(`Expected a list of ${member}, got ${reply.text.slice(0, 100)}`);
}

/** Seconds that an answer asks to wait; null when it does not. A date counts from now. */
export function retryAfterOf(headers: Headers): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}

function refusal(reply: Reply): RequestError | UnexpectedAnswerError {
  const { status, headers, text } = reply;
  if (status < 400) {
    return new UnexpectedAnswerError(`The Task API does not answer ${status} here.`);
  }
  const problem = problemIn(text) ?? {
    status,
    type: 'about:blank',
    title: `Refused with ${status}, without a problem document.`,
    detail: text.slice(0, 200),
  };
  return new RequestError(status, problem, headers.get('x-request-id'), retryAfterOf(headers));
}

function problemIn(text: string): Problem | null {
  const body = objectIn(text) as Partial<Problem> | null;
  const types = [typeof body?.status, typeof body?.type, typeof body?.title];
  return types.join() === 'number,string,string' ? (body as Problem) : null;
}

/** The JSON object or array in a text; null when there is none. */
export function objectIn(text: string): object | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' ? body : null;
  } catch {
    return null;
  }
}

/** `fetch failed` says nothing; what lies behind it does. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== ''
    ? error.cause.message
    : error.message;
}
