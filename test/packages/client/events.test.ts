import { HeadframeClient, type Change, type Job, RequestError } from 'headframe-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventService } from '../../support/event-service.js';

let service: EventService;
let client: HeadframeClient;

beforeEach(async () => {
  service = await EventService.open();
  client = new HeadframeClient({ url: service.url, org: service.org, token: 'any' });
});
afterEach(() => service.close());

/** Follows a job to its end. */
function follower(job: Job) {
  const seen: string[] = [];
  const ended = (async () => {
    for await (const { status, progress } of client.follow(job)) seen.push(`${status} ${progress}`);
  })();
  return { seen, ended };
}

const open = (count: number) => expect.poll(() => service.openStreams.length).toBe(count);

describe('who follows a job by its stream of events', () => {
  it('is told each change, and looks at the status once', async () => {
    const job = service.job();
    const { seen, ended } = follower(job);
    await open(1);
    for (const progress of [10, 20, 30]) service.change(job, 'in progress', progress);
    service.change(job, 'succeeded', 100);
    await ended;
    expect(seen).toEqual([
      'in progress 0',
      'in progress 10',
      'in progress 20',
      'in progress 30',
      'succeeded 100',
    ]);
    expect(service.looks).toBe(1);
    await open(0);
  });

  it('goes on after the last event when the stream breaks', async () => {
    const job = service.job();
    const { seen, ended } = follower(job);
    await open(1);
    service.change(job, 'in progress', 10);
    await expect.poll(() => seen).toContain('in progress 10');
    service.breakStreams();
    service.change(job, 'succeeded', 100);
    await ended;
    expect(seen.at(-1)).toBe('succeeded 100');
  });

  it('is given a new stream, with a new token, when the old token expires', async () => {
    let count = 0;
    const renewing = new HeadframeClient({
      url: service.url,
      org: service.org,
      token: () => `token-${(count += 1)}`,
    });
    const job = service.job();
    const ended = renewing.wait(job);
    await open(1);
    service.tell('expired');
    service.breakStreams();
    await open(1);
    service.change(job, 'succeeded', 100);
    await ended;
    expect(new Set(service.tokens).size).toBe(service.tokens.length);
    expect(service.lastEventIds).toEqual([undefined, '0']);
  });

  it('is one of many on two streams: the first has its own, the others share', async () => {
    const jobs = Array.from({ length: 20 }, () => service.job());
    const followers = jobs.map(follower);
    await open(2);
    expect(service.openStreams).toContain('jobs/events');
    await expect.poll(() => followers.every(({ seen }) => seen.length > 0)).toBe(true);
    for (const job of jobs) service.change(job, 'in progress', 50);
    for (const job of jobs) service.change(job, 'succeeded', 100);
    await Promise.all(followers.map(({ ended }) => ended));
    for (const { seen } of followers) expect(seen.at(-1)).toBe('succeeded 100');
    expect(service.asked.filter((path) => path.includes('events'))).toHaveLength(2);
    await open(0);
  });

  it('looks again when the shared stream says that changes were missed', async () => {
    const [first, second] = [service.job(), service.job()];
    const followers = [follower(first), follower(second)];
    await open(2);
    // Having heard of this besides its first look, it relies on the stream.
    await expect.poll(() => followers[1]!.seen).toContain('in progress 0');
    service.change(second, 'in progress', 10);
    await expect.poll(() => followers[1]!.seen).toContain('in progress 10');
    service.change(second, 'succeeded', 100, false);
    service.tell('reset');
    await followers[1]!.ended;
    expect(followers[1]!.seen.at(-1)).toBe('succeeded 100');
    service.change(first, 'succeeded', 100);
    await followers[0]!.ended;
    // In less time than a follower takes to find out by itself.
  }, 30_000);

  it('is told nothing older than what it has seen: it looks again upon news that came meanwhile', async () => {
    const changes = client.changes();
    await changes.next();
    let release: () => void = () => undefined;
    service.gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const job = service.job();
    const { seen, ended } = follower(job);
    await expect.poll(() => service.looks).toBe(1);
    service.change(job, 'in progress', 10);
    await changes.next();
    service.change(job, 'in progress', 20, false);
    release();
    await expect.poll(() => service.looks).toBe(2);
    await expect.poll(() => seen).toEqual(['in progress 20']);
    service.change(job, 'succeeded', 100);
    await ended;
    expect(seen).toEqual(['in progress 20', 'succeeded 100']);
    await changes.return();
  });

  it('polls on when the stream breaks and there is no other', async () => {
    const job = service.job();
    const { seen, ended } = follower(job);
    await open(1);
    service.change(job, 'in progress', 10);
    await expect.poll(() => seen).toContain('in progress 10');
    service.hinder = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    service.change(job, 'succeeded', 100, false);
    service.breakStreams();
    await ended;
    expect(seen.at(-1)).toBe('succeeded 100');
  });

  it('leaves no stream open when it stops reading, or its signal fires', async () => {
    for await (const _ of client.follow(service.job())) break;
    const giveUp = new AbortController();
    const waiting = client.wait(service.job(), { signal: giveUp.signal });
    await open(1);
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await open(0);
  });
});

describe('where streams are of no use, the status is polled to the end', () => {
  it.each([
    ['the service has none (404)', (status: number) => status === 404, 404],
    ['there are too many (429)', (status: number) => status === 429, 429],
    ['it is not to be had in this form (406)', (status: number) => status === 406, 406],
  ])('%s', async (_, __, status) => {
    service.hinder = (_request, response) => {
      response.writeHead(status, { 'retry-after': '30' }).end();
      return true;
    };
    const jobs = [service.job(), service.job(), service.job()];
    const followers = jobs.map(follower);
    await expect.poll(() => service.looks).toBeGreaterThan(6);
    jobs.forEach((job) => service.change(job, 'failed', 10));
    await Promise.all(followers.map(({ ended }) => ended));
    expect(followers.map(({ seen }) => seen.at(-1))).toEqual(jobs.map(() => 'failed 10'));
    expect(service.asked.filter((path) => path.includes('events')).length).toBeLessThanOrEqual(2);
  });

  it('a proxy keeps what a stream says', async () => {
    service.hinder = () => true;
    const job = service.job();
    const { seen, ended } = follower(job);
    await expect.poll(() => service.looks).toBeGreaterThan(2);
    service.change(job, 'succeeded', 100);
    await ended;
    expect(seen).toEqual(['in progress 0', 'succeeded 100']);
  });

  it('something else answers with a page', async () => {
    service.hinder = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Welcome');
      return true;
    };
    const job = service.job();
    const { ended } = follower(job);
    await expect.poll(() => service.looks).toBeGreaterThan(2);
    service.change(job, 'succeeded', 100);
    await ended;
  });

  it('its caller wants it so', async () => {
    client = new HeadframeClient({
      url: service.url,
      org: service.org,
      token: 'any',
      events: false,
    });
    const job = service.job();
    const { ended } = follower(job);
    await expect.poll(() => service.looks).toBeGreaterThan(2);
    service.change(job, 'succeeded', 100);
    await ended;
    expect(service.asked.some((path) => path.includes('events'))).toBe(false);
  });
});

describe('the changes of an organization', () => {
  it('begin with a reset, and go on in the stream that followers share', async () => {
    const changes = client.changes();
    expect(await changes.next()).toEqual({ done: false, value: { type: 'reset', live: true } });
    const job = service.job();
    const { ended } = follower(job);
    await expect.poll(() => service.looks).toBeGreaterThan(0);
    service.change(job, 'in progress', 40);
    service.change(job, 'succeeded', 100);
    const told: Change[] = [];
    for await (const change of changes) {
      told.push(change);
      if (told.length === 2) break;
    }
    expect(told).toMatchObject([
      { type: 'changed', job: { ...job, status: 'in progress', progress: 40 } },
      { type: 'changed', job: { ...job, status: 'succeeded', progress: 100 } },
    ]);
    await ended;
    expect(service.asked.filter((path) => path.includes('events'))).toHaveLength(1);
  });

  it('are those of a filter in a stream of its own', async () => {
    const changes = client.changes({ topic: 'diagnostics', label: ['a:1', 'b:2'] });
    await changes.next();
    expect(service.openStreams).toEqual(['jobs/events?topic=diagnostics&label=a%3A1&label=b%3A2']);
    await changes.return();
    await open(0);
  });

  it('are a reset now and then while there is no stream', async () => {
    service.hinder = (_request, response) => {
      response.writeHead(404).end();
      return true;
    };
    const changes = client.changes();
    for (let count = 0; count < 2; count += 1) {
      expect((await changes.next()).value).toEqual({ type: 'reset', live: false });
    }
    await changes.return();
  });

  it('that a reader is too slow for become a reset', async () => {
    const changes = client.changes();
    await changes.next();
    const job = service.job();
    const { ended } = follower(job);
    await expect.poll(() => service.looks).toBeGreaterThan(0);
    for (let count = 0; count < 1_500; count += 1) service.change(job, 'in progress', count % 100);
    service.change(job, 'succeeded', 100);
    await ended;
    const told: Change[] = [];
    for await (const change of changes) {
      told.push(change);
      if (change.type === 'changed' && change.job.status === 'succeeded') break;
    }
    expect(told.length).toBeLessThan(1_000);
    expect(told[0]).toEqual({ type: 'reset', live: true });
  });

  it('are refused to who may not see them', async () => {
    service.hinder = (_request, response) => {
      response.writeHead(403).end();
      return true;
    };
    await expect(client.changes().next()).rejects.toThrow(RequestError);
  });
});
