import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { EventReader } from '../support/event-reader.js';
import { ACTOR, Engine } from '../support/jobs.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** What a replica reads again in between, and a little more. */
const SOON_MS = 3_500;

/** The stores of this process tell nobody of what they do: every hint is lost. */
let engine: Engine;
let api: Service;
let worker: string;
let beating: NodeJS.Timeout;

beforeAll(async () => {
  engine = await Engine.open();
  worker = await engine.register();
  // Else the replica would take it for lost.
  beating = setInterval(() => void engine.workers.beat(worker), 300);
  api = await startService(engine.url, { ROLE: 'api', MIGRATE: 'false' });
});
afterAll(async () => {
  clearInterval(beating);
  await api?.stop();
  await engine?.close();
});

async function newClient(): Promise<Client> {
  const org = randomUUID();
  return new Client(api.url, org, await token(org));
}

const pathOf = ({ orgId, topic, task, jobId }: Awaited<ReturnType<Engine['submit']>>) =>
  `/compute/orgs/${orgId}/${topic}/${task}/${jobId}`;

describe('when every hint is lost', () => {
  it('a job is told of to its end all the same, soon', async () => {
    const client = await newClient();
    const key = await engine.submit(client.org);
    const reader = await EventReader.open(client, `${pathOf(key)}/events`);
    expect((await reader.next())?.data.status).toBe('requested');
    const lease = await engine.claimFor(worker, key);
    expect((await reader.next(SOON_MS))?.data.status).toBe('in progress');
    await engine.leases.progress([{ ...lease, percent: 40, message: 'two fifths' }]);
    expect((await reader.next(SOON_MS))?.data).toMatchObject({
      progress: 40,
      message: 'two fifths',
    });
    await engine.leases.progress([{ ...lease, percent: 40, message: 'still' }]);
    expect((await reader.next(SOON_MS))?.data).toMatchObject({ progress: 40, message: 'still' });
    await engine.leases.succeed({ ...lease, results: '{}', message: null });
    expect((await reader.next(SOON_MS))?.data.status).toBe('succeeded');
    expect((await reader.next())?.name).toBe('end');
  });

  it('a job is told to have been running, though it ended before anybody looked', async () => {
    const client = await newClient();
    const key = await engine.submit(client.org);
    const reader = await EventReader.open(client, `${pathOf(key)}/events`);
    expect((await reader.next())?.data.status).toBe('requested');
    // It is read when the stream opens, a few times soon after, and then every two seconds.
    await new Promise((resolve) => setTimeout(resolve, 800));
    const lease = await engine.claimFor(worker, key);
    await engine.leases.succeed({ ...lease, results: '{}', message: null });
    await reader.ended;
    const told = reader.events.map(({ name, data }) => data.status ?? name);
    expect(told).toEqual(['requested', 'in progress', 'succeeded', 'end']);
  });

  it('an organization is told of the jobs that went on when it was asked for', async () => {
    const client = await newClient();
    const [waiting, running] = [await engine.submit(client.org), await engine.submit(client.org)];
    const reader = await EventReader.open(client, 'jobs/events');
    const leases = await engine.claim(worker, 2, { cursor: client.org, credit: 2 });
    const first = await reader.next(SOON_MS);
    expect(first?.data).toMatchObject({ status: 'in progress' });
    expect((await reader.next(SOON_MS))?.data).toMatchObject({ status: 'in progress' });
    for (const lease of leases) {
      await engine.leases.succeed({ ...lease, results: '{}', message: null });
      expect((await reader.next(SOON_MS))?.data).toMatchObject({
        id: lease.jobId,
        status: 'succeeded',
      });
    }
    expect(leases.map(({ jobId }) => jobId).toSorted()).toEqual(
      [waiting.jobId, running.jobId].toSorted(),
    );
    await reader.close();
  });

  it('who waits is answered soon', async () => {
    const client = await newClient();
    const key = await engine.submit(client.org);
    const held = client.get(`${pathOf(key)}/status`, { prefer: 'wait=20' });
    const asked = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await engine.ends.requestCancel(key, ACTOR);
    expect((await held).body.status).toBe('canceled');
    expect(performance.now() - asked).toBeLessThan(1_000 + SOON_MS);
  });

  it('a stream ends when its job is gone', async () => {
    const client = await newClient();
    const key = await engine.submit(client.org);
    const reader = await EventReader.open(client, `${pathOf(key)}/events`);
    await reader.next();
    await engine.owner.query('DELETE FROM job_queue WHERE job_id = $1', [key.jobId]);
    await engine.owner.query('DELETE FROM job_submissions WHERE id = $1', [key.jobId]);
    expect(await reader.next(SOON_MS)).toBe(null);
  });
});
