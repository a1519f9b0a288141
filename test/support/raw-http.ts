import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer as it came over the socket. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; fails when it is not JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests assert on whatever came
  readonly body: any;
  /** Status codes of the interim answers before it, as 100. */
  readonly interim: readonly number[];
}

const PATIENCE_MS = 20_000;

/** A connection that sends bytes as they are, which `fetch` would correct or refuse. */
export class RawConnection {
  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  private received = Buffer.alloc(0);
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    // A refusal may close the connection while we are still sending: what was received decides.
    socket.on('error', () => undefined);
    socket.on('close', () => this.wake());
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  }

  /**
   * @param then `finish` ends our side after the last byte, as a client does that breaks off
   * @returns the first final answer; fails when the connection ends without one
   */
  async send(
    bytes: string | Buffer | readonly (string | Buffer)[],
    then: 'wait' | 'finish' = 'wait',
  ): Promise<RawAnswer> {
    for (const part of typeof bytes === 'string' || Buffer.isBuffer(bytes) ? [bytes] : bytes) {
      this.socket.write(part);
    }
    if (then === 'finish') {
      this.socket.end();
    }
    for (;;) {
      const parsed = parseAnswer(this.received);
      if (parsed !== null) {
        this.received = parsed.rest;
        return parsed.answer;
      }
      if (this.socket.destroyed) {
        const text = this.received.toString('latin1').slice(0, 300);
        throw new Error(`The connection ended without a whole answer, after: ${text}`);
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Sends bytes on a connection of their own. */
export async function sendRaw(
  url: string,
  bytes: string | Buffer | readonly (string | Buffer)[],
  then: 'wait' | 'finish' = 'wait',
): Promise<RawAnswer> {
  const connection = await RawConnection.open(url);
  try {
    return await connection.send(bytes, then);
  } finally {
    connection.close();
  }
}

/** A request's head, and a body with its length if one is given. Lines come as given. */
export function rawRequest(
  requestLine: string,
  headers: readonly string[],
  body?: string | Buffer,
): Buffer {
  const content = body === undefined ? null : Buffer.from(body as string);
  const lines = [
    requestLine,
    ...headers,
    ...(content === null ? [] : [`Content-Length: ${content.length}`]),
  ];
  return Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    content ?? Buffer.alloc(0),
  ]);
}

/** @returns null while the answer is not complete */
function parseAnswer(
  received: Buffer<ArrayBuffer>,
): { answer: RawAnswer; rest: Buffer<ArrayBuffer> } | null {
  const interim: number[] = [];
  let rest = received;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) {
      return null;
    }
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
    rest = rest.subarray(end + 4);
    if (status < 200) {
      interim.push(status);
      continue;
    }
    const headers = new Headers(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as [string, string];
      }),
    );
    const length = Number(headers.get('content-length') ?? 0);
    if (rest.length < length) {
      return null;
    }
    const text = rest.subarray(0, length).toString('utf8');
    const answer: RawAnswer = {
      status,
      headers,
      text,
      get body() {
        return JSON.parse(text);
      },
      interim,
    };
    return { answer, rest: rest.subarray(length) };
  }
}
