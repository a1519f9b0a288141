import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { EventReader } from '../support/event-reader.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

let database: TestDatabase;
let service: Service;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url, { MAX_STREAMS_ORG: '3', WORKER_SLOTS: '16' });
});
afterAll(async () => {
  await service?.stop();
  await database?.drop();
});

/** So that events fill the sockets soon: three thousand bytes of each. */
const LABELS = Object.fromEntries(
  Array.from({ length: 16 }, (_, index) => [`label-${index}`.padEnd(60, '-'), 'v'.repeat(63)]),
);

/** Asks for a stream and never reads it. */
async function openUnread(client: Client, path: string) {
  const { hostname, port } = new URL(client.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client.token}\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

describe('clients that do not read their events', () => {
  it('are cut off, while those that do are told everything', async () => {
    const org = randomUUID();
    const client = new Client(service.url, org, await token(org));
    const path = `/compute/orgs/${org}/jobs/events`;
    const unread = await Promise.all([openUnread(client, path), openUnread(client, path)]);
    const reader = await EventReader.open(client, path);
    expect((await client.get(path)).status).toBe(429);

    const jobs = new Set<string>();
    const room = () => client.get(`${path}?limit=1`).then(({ status }) => status !== 429);
    const opened = async () => {
      const answer = await EventReader.open(client, path).catch(() => null);
      await answer?.close();
      return answer !== null;
    };
    expect(await room()).toBe(true);
    // Until both are cut off: their places are free then.
    while (!(await opened())) {
      const made = await Promise.all(
        Array.from({ length: 50 }, () =>
          client.submit('diagnostics/sleep', { seconds: 0, steps: 1 }, { labels: LABELS }),
        ),
      );
      made.forEach((job) => jobs.add(job.split('/').at(-1) as string));
      expect(jobs.size).toBeLessThan(4_000);
    }
    const ended = new Set<string>();
    while (ended.size < jobs.size) {
      const { data } = await reader.until(({ data: { links } }) => 'result' in links);
      ended.add(data.id);
    }
    expect(ended).toEqual(jobs);
    await reader.close();
    unread.forEach((socket) => socket.destroy());
  }, 60_000);
});
