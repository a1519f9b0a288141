import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { EventStream } from '../../src/jobs/follow/stream/event-stream.js';

const progress = (jobId: string) => ({ jobId, isProgress: true });
const state = (jobId: string) => ({ jobId, isProgress: false });
/** As long as what is handed to the socket before anybody reads. */
const LONG = 'x'.repeat(5_000);

describe('an event stream that nobody reads', () => {
  it('keeps of each job the latest progress, and every state', async () => {
    const stream = new EventStream();
    stream.event('status', '0', LONG);
    stream.read(0);
    stream.event('status', '1', '{}', progress('a'));
    stream.event('status', '2', '{}', progress('b'));
    for (let at = 11; at < 90; at += 1) {
      stream.event('status', `3.${at}`, '{}', progress('a'));
    }
    stream.event('status', '4', '{}', state('a'));
    stream.event('status', '5', '{}', progress('a'));
    stream.event('status', '6', '{}', state('a'));
    stream.finish();
    const ids = [...(await text(stream)).matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
    expect(ids).toEqual(['0', '2', '4', '6']);
  });

  it('is cut off when more waits than is kept for one client', () => {
    const stream = new EventStream();
    stream.on('error', () => undefined);
    let sent = 0;
    while (!stream.destroyed && sent < 1_000) {
      sent += 1;
      stream.event('status', String(sent), LONG, state(String(sent)));
    }
    expect(sent).toBeLessThan(30);
  });

  it('is sent no heartbeats on top of what waits', async () => {
    const stream = new EventStream();
    stream.event('status', '0', LONG);
    stream.read(0);
    stream.event('status', '1', '{}');
    for (let times = 0; times < 100; times += 1) {
      stream.heartbeat();
    }
    stream.finish();
    expect(await text(stream)).not.toContain(': alive');
  });

  it('knows for how long its client has taken nothing', async () => {
    const stream = new EventStream();
    stream.event('status', '0', LONG);
    stream.read(0);
    expect(stream.stuckMs).toBe(0);
    stream.event('status', '1', '{}');
    await expect.poll(() => stream.stuckMs).toBeGreaterThan(50);
    stream.finish();
    await text(stream);
    expect(stream.stuckMs).toBe(0);
  });
});
