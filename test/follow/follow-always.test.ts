import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultSystem } from '../faults/fault-system.js';
import { Client } from '../support/client.js';
import { EventReader, type ReadEvent } from '../support/event-reader.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

/** `FOLLOW_RUNS=100 npx vitest run test/follow/follow-always.test.ts` tries more, `FOLLOW_SEED` others. */
const RUNS = Number(process.env.FOLLOW_RUNS ?? 4);
const SEED = Number(process.env.FOLLOW_SEED ?? 20261127);
const PATIENCE_MS = 60_000;

let system: FaultSystem;
let other: Service;

beforeAll(async () => {
  system = await FaultSystem.start();
  other = await startService(system.databaseUrl, { ROLE: 'api', MIGRATE: 'false' });
}, 60_000);
afterAll(async () => {
  await other?.stop();
  await system?.stop();
}, 30_000);

const fault = fc.constantFrom(
  'end the listening connections' as const,
  'restart the database' as const,
  'stop the database at once' as const,
  'kill a worker' as const,
);

const history = fc.record({
  jobs: fc.array(
    fc.record({
      seconds: fc.constantFrom(0, 0.2, 1, 2),
      fail: fc.boolean(),
      cancelAfterMs: fc.option(fc.integer({ min: 0, max: 1_500 }), { nil: null, freq: 3 }),
      /** When its client goes away: after so many milliseconds each time; then it stays. */
      stays: fc.array(fc.integer({ min: 0, max: 800 }), { maxLength: 5 }),
      replicas: fc.array(fc.nat(1), { minLength: 6, maxLength: 6 }),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  faults: fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 1_000 }), fault }), {
    maxLength: 2,
  }),
});

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

it(
  `the final state arrives exactly once, in order, whatever breaks (${RUNS} runs, seed ${SEED})`,
  async () => {
    await fc.assert(fc.asyncProperty(history, live), {
      numRuns: RUNS,
      seed: SEED,
      // A run that failed would not fail the same way again: it is told as it was.
      endOnFailure: true,
    });
  },
  60_000 + RUNS * 90_000,
);

async function live({ jobs, faults }: History): Promise<void> {
  const org = randomUUID();
  const bearer = await token(org);
  const clientOf = (replica: number) =>
    new Client(replica === 0 ? system.api.url : other.url, org, bearer);
  const breaking = (async () => {
    for (const { afterMs, fault: name } of faults) {
      await sleep(afterMs);
      await strike(name);
    }
  })();
  const crashes = faults.some(({ fault: name }) => name === 'stop the database at once');
  const following = jobs.map(async ({ seconds, fail, cancelAfterMs, stays, replicas }) => {
    const client = clientOf(replicas[0] as number);
    const key = { 'idempotency-key': randomUUID() };
    const parameters = { seconds, steps: 4, ...(fail && { fail }) };
    const made = await insist(async () => {
      const answer = await client.execute('diagnostics/sleep', { parameters }, key);
      return answer.status === 303 ? answer.headers.get('location') : null;
    });
    const job = made.replace(/\/status$/, '');
    const canceling =
      cancelAfterMs === null
        ? null
        : sleep(cancelAfterMs).then(() =>
            insist(async () => ((await client.delete(job)).status === 204 ? true : null)),
          );
    const events = await follow(job, stays, (turn) => clientOf(replicas[turn % 6] as number));
    await canceling;
    expectWhole(events, crashes);
    const { body } = await insist(async () => {
      const answer = await client.get(`${job}/status`);
      return answer.status === 200 ? answer : null;
    });
    expect(events.at(-1)?.data).toEqual({
      id: job.split('/').at(-1),
      ...body,
      links: { result: expect.stringContaining(job) },
    });
  });
  await Promise.all([...following, breaking]);
}

/** Follows a job to its end, coming back with the id of its last event whenever the stream is lost. */
async function follow(
  job: string,
  stays: readonly number[],
  clientOf: (turn: number) => Client,
): Promise<ReadEvent[]> {
  const all: ReadEvent[] = [];
  const deadline = Date.now() + PATIENCE_MS;
  let lastId = '';
  for (let turn = 0; Date.now() < deadline; turn += 1) {
    const reader = await EventReader.open(clientOf(turn), `${job}/events`, {
      'last-event-id': lastId,
    }).catch((error: Error) => (error.message.startsWith('answered 204') ? '204' : null));
    if (reader === '204') {
      return all;
    }
    if (reader === null) {
      await sleep(50);
      continue;
    }
    const stay = stays[turn];
    await Promise.race([reader.ended, ...(stay === undefined ? [] : [sleep(stay)])]);
    // What has come is kept, and nothing that comes after the id it goes on from.
    const told = [...reader.events];
    lastId = told.at(-1)?.id ?? lastId;
    await reader.close();
    all.push(...told.filter(({ name }) => name === 'status'));
  }
  throw new Error(`${job} was not told to its end: ${JSON.stringify(all.slice(-3))}`);
}

/** Each state is told once, in the order of a job's life, and the final one last. */
function expectWhole(events: readonly ReadEvent[], crashed: boolean): void {
  const statuses = events.map(({ data }) => data.status as string);
  expect(statuses.filter((status) => /^(succeeded|failed|canceled)$/.test(status))).toEqual([
    statuses.at(-1),
  ]);
  if (crashed) {
    // What had not reached the disk may have been forgotten, and is done again.
    return;
  }
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  const places = events.map(({ id }) => (id as string).split('.').slice(1, 4).map(Number));
  const later = places.slice(1).map((place, index) => compare(place, places[index] as number[]));
  expect(later.filter((step) => step < 0)).toEqual([]);
}

const compare = (one: readonly number[], two: readonly number[]): number =>
  one.map((value, index) => value - (two[index] as number)).find((step) => step !== 0) ?? 0;

async function strike(name: History['faults'][number]['fault']): Promise<void> {
  switch (name) {
    case 'end the listening connections':
      await system.ask(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid()
           AND (query LIKE 'LISTEN%' OR query = 'SELECT 1' OR query LIKE '%WITH beat AS%')`,
      );
      return;
    case 'restart the database':
      await system.restartDatabase(false);
      return;
    case 'stop the database at once':
      await system.restartDatabase(true);
      return;
    case 'kill a worker':
      await system.strike('kill a worker', Math.random);
      return;
    default:
      name satisfies never;
  }
}

/** Repeats what an unavailable service refuses. */
async function insist<T>(attempt: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await attempt().catch(() => null);
    if (answer !== null) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw new Error('the service did not come back');
    }
    await sleep(100);
  }
}
