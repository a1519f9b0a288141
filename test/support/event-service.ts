import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Job, JobState } from 'headframe-client';

/** A stream of events that is open. */
interface OpenStream {
  readonly path: string;
  readonly response: ServerResponse;
}

/** What is done with a request for a stream instead of opening it; false: it is opened. */
type Hindrance = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * The statuses and the streams of events of the contract and no more, over real HTTP, so that a test decides
 * what happens on the way: when a stream breaks, is refused, or is kept by a proxy.
 */
export class EventService {
  readonly org = randomUUID();
  /** Paths with their queries, as they came. */
  readonly asked: string[] = [];
  readonly tokens: string[] = [];
  readonly lastEventIds: (string | undefined)[] = [];
  hinder: Hindrance = () => false;
  /** A status is read and answered when this is fulfilled. */
  gate: Promise<unknown> = Promise.resolve();
  private readonly jobs = new Map<string, { job: Job; status: JobState; progress: number }>();
  private readonly streams = new Set<OpenStream>();
  private events = 0;

  private constructor(private readonly server: ReturnType<typeof createServer>) {
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async open(): Promise<EventService> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new EventService(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The paths of the streams that are open, without what is before the last part that tells them apart. */
  get openStreams(): string[] {
    return [...this.streams].map(({ path }) => path.replace(/^.*\/(?=[^/]+\/events)/, ''));
  }

  get looks(): number {
    return this.asked.filter((path) => path.endsWith('/status')).length;
  }

  job(): Job {
    const job = { task: 'diagnostics/sleep', id: randomUUID() };
    this.jobs.set(job.id, { job, status: 'in progress', progress: 0 });
    return job;
  }

  /** Changes a job, and tells all streams that are open. */
  change({ id }: Job, status: JobState, progress: number, tell = true): void {
    const known = this.jobs.get(id)!;
    Object.assign(known, { status, progress });
    this.events += 1;
    if (!tell) return;
    for (const stream of this.streams) {
      if (stream.path.includes('/jobs/events') || stream.path.includes(id)) {
        this.send(stream, 'status', this.body(id));
      }
    }
  }

  /** Sends an event to all streams. */
  tell(name: string): void {
    this.streams.forEach((stream) => this.send(stream, name, {}));
  }

  breakStreams(): void {
    this.streams.forEach(({ response }) => response.destroy());
    this.streams.clear();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!;
    this.asked.push(path);
    this.tokens.push(request.headers.authorization!.replace('Bearer ', ''));
    const [, id = ''] = /([^/]+)\/(status|events)/.exec(path)!;
    if (path.endsWith('/status')) {
      await this.gate;
      const body = this.body(id);
      response.writeHead('result' in body.links ? 200 : 202, { 'retry-after': '1' });
      response.end(JSON.stringify(body));
      return;
    }
    this.lastEventIds.push(request.headers['last-event-id'] as string | undefined);
    if (this.hinder(request, response)) return;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(': hello\n\n');
    const stream = { path, response };
    this.streams.add(stream);
    request.on('close', () => this.streams.delete(stream));
    if (id !== 'jobs') this.send(stream, 'status', this.body(id));
  }

  private send({ response }: OpenStream, name: string, data: object): void {
    response.write(`id: ${this.events}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  private body(id: string) {
    const { job, status, progress } = this.jobs.get(id)!;
    const [topic, task] = job.task.split('/');
    const ended = ['succeeded', 'failed', 'canceled'].includes(status);
    const links = { [ended ? 'result' : 'cancel']: `${this.url}/${id}` };
    return { id, topic, task, status, progress, links, labels: {}, attempt: 1 };
  }
}
