import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { echoTasksFolder } from '../support/echo-tasks.js';
import { rawRequest, sendRaw } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';
import { type FuzzedRequest, requests } from './fuzz-request.js';
import { Judge, type OpenApi } from './fuzz-judge.js';

/** `npm run test:fuzz` sets these; without them a run is short, and the same each time. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_125);
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
/** How long it takes depends on the machine, what it sends does not. */
const SIZE =
  SECONDS === 0
    ? { numRuns: 600 }
    : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1_000 };

/** Other organizations' rows are full of it, in every column that a client or a task fills. */
const CANARY = 'kq3v-canary';

describe('requests that were made up', () => {
  const org = randomUUID();
  const other = randomUUID();
  let database: TestDatabase;
  let service: Service;
  let folder: string;
  let client: Client;
  let stranger: Client;
  let judge: Judge;
  const jobs: string[] = [];
  const others: string[] = [];
  /** How many answers there were of each status. */
  const seen = new Map<number, number>();

  beforeAll(async () => {
    folder = echoTasksFolder();
    database = await createTestDatabase();
    // It runs its own quick commands alone: nothing that is submitted keeps two cores busy.
    service = await startService(database.url, { TASKS_DIR: folder, WORKER_TASKS: 'test/*' });
    client = new Client(service.url, org, await token(org));
    stranger = new Client(service.url, other, await token(other));
    await fill();
    judge = new Judge((await client.get('/openapi.json')).body as OpenApi, CANARY);
  });

  afterAll(async () => {
    await service?.stop();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Jobs of both organizations, in each end that a job can have, and one that never starts. */
  async function fill(): Promise<void> {
    for (const [owner, list, word] of [
      [client, jobs, 'own'],
      [stranger, others, CANARY],
    ] as const) {
      const submit = (task: string, options: object = {}) =>
        owner.submit(`test/${task}`, { text: `${word}-text` }, { labels: { word }, ...options });
      const run_after = new Date(Date.now() + 8e7).toISOString();
      list.push(...(await Promise.all(['echo', 'refuse', 'crash'].map((task) => submit(task)))));
      await Promise.all(list.map((job) => owner.ended(job)));
      list.push(await submit('echo', { run_after }));
    }
  }

  const send = (request: FuzzedRequest) =>
    sendRaw(
      service.url,
      rawRequest(
        `${request.method} ${request.target.replaceAll(' ', '%20')} HTTP/1.1`,
        request.headers,
        request.body ?? undefined,
      ),
    );

  it('the stranger has what the fuzzer looks for', async () => {
    for (const job of others.slice(0, 2)) {
      expect((await stranger.get(job)).text).toContain(CANARY);
      expect((await stranger.get(`${job}/detail`)).text).toContain(CANARY);
      expect((await stranger.get(`${job}/logs`)).text).toContain(CANARY);
    }
  });

  it(
    'are answered as the OpenAPI document says, with nothing of anybody else',
    { timeout: (SECONDS + 120) * 1_000 },
    async () => {
      const world = {
        operations: judge.operations(),
        organizations: [...Array.from({ length: 12 }, () => org), other, randomUUID()],
        jobs: [...jobs, ...jobs, ...others].map((job) => {
          const [topic = '', task = '', job_id = ''] = job.split('/').slice(4);
          return { topic, task, job_id };
        }),
        tokens: [
          client.token,
          await token(org, { scope: 'compute:read' }),
          await token([], {}),
          await token(org, { expiresIn: -3_600 }),
          `${client.token}x`,
        ],
      };
      await fc.assert(
        fc.asyncProperty(requests(world), async (request) => {
          const answer = await send(request);
          seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
          const fault = judge.faultOf(request, answer);
          if (fault !== null) {
            throw new Error(`${request.method} ${request.target}: ${fault}`);
          }
        }),
        { seed: SEED, ...SIZE },
      );
      const count = [...seen.values()].reduce((sum, each) => sum + each, 0);
      const statuses = [...seen].toSorted(([a], [b]) => a - b).map((pair) => pair.join(' × '));
      console.log(`fuzz: seed ${SEED}, ${count} requests: ${statuses.join(', ')}`);
      expect(count).toBeGreaterThan(50);
    },
  );

  it('leave the service well, its log without an error, and the stranger’s jobs as they were', async () => {
    expect((await client.get('/health/ready')).status).toBe(200);
    expect(service.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([]);
    const statuses = await Promise.all(
      others.map(async (job) => (await stranger.get(`${job}/status`)).body.status),
    );
    expect(statuses).toEqual(['succeeded', 'failed', 'failed', 'requested']);
  });
});
