import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector gets it (OTLP over HTTP, in JSON). */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: ReceivedSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

/** How a collector may behave. */
export type Behaviour = 'good' | 'hangs' | 'refuses' | 'lies' | 'drips';

/** A collector of one's own, which keeps what it gets, and misbehaves as it is told. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  readonly services = new Set<unknown>();
  requests = 0;
  behaviour: Behaviour = 'good';

  private constructor(
    readonly url: string,
    private readonly end: () => void,
  ) {}

  static async open(): Promise<OtlpReceiver> {
    const server = createServer((request, response) => void receiver.take(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const receiver: OtlpReceiver = new OtlpReceiver(`http://127.0.0.1:${port}/base`, () => {
      server.close();
      server.closeAllConnections();
    });
    return receiver;
  }

  close(): void {
    this.end();
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    switch (this.behaviour) {
      case 'hangs':
        return;
      case 'refuses':
        response.writeHead(400).end('no');
        return;
      case 'lies':
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"partialSuccess":{"rejectedSpans":"${'9'.repeat(1_000_000)}"}`);
        return;
      case 'drips': {
        response.writeHead(200);
        const drip = setInterval(() => response.write('x'), 200);
        response.on('close', () => clearInterval(drip));
        return;
      }
      case 'good': {
        const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Export;
        this.headers.push(request.headers);
        for (const { resource, scopeSpans } of resourceSpans) {
          resource.attributes
            .filter(({ key }) => key === 'service.name')
            .forEach(({ value }) => this.services.add(value.stringValue));
          this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
        }
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      }
    }
  }
}

/** The value of an attribute. */
export const attributeOf = (span: ReceivedSpan | undefined, key: string): unknown =>
  Object.values(span?.attributes.find((each) => each.key === key)?.value ?? {})[0];
