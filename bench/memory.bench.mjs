// Memory of the api while many clients send large bodies at once, and how long health waits meanwhile.
//   npm run bench -- memory [--parallel 40,100,200]
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import { SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { SECRET, startServer } from './support/processes.mjs';

const { values } = parseArgs({
  options: { parallel: { type: 'string', default: '40,100,200' } },
});
const MIB = 1024 * 1024;
const TASK = 'diagnostics/sleep';
const BACK_MB = 300;
const PATIENCE_S = 20;

const DELAY_FILE = join(tmpdir(), `headframe-loop-delay-${process.pid}`);
/** Bodies come from so many: else the budget of one would be all that is seen. */
const ORGANIZATIONS = 8;

const rss = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** How long the event loop of the service stood still at most since this was asked last, in ms. */
async function loopDelay(child) {
  writeFileSync(DELAY_FILE, '');
  child.kill('SIGUSR2');
  while (readFileSync(DELAY_FILE, 'utf8') === '') await sleep(5);
  return Number(readFileSync(DELAY_FILE, 'utf8'));
}

/** Peak memory in MB, and the longest and 99th percentile of health in ms, while something is done. */
async function watched({ url, child }, act) {
  let peak = rss(child.pid);
  let going = true;
  const sampling = (async () => {
    while (going) {
      peak = Math.max(peak, rss(child.pid));
      await sleep(5);
    }
  })();
  await loopDelay(child);
  const probe = new Worker(new URL('memory/health.probe.mjs', import.meta.url), {
    workerData: { url },
  });
  const outcome = await act();
  going = false;
  probe.postMessage('stop');
  const [[times], blocked] = await Promise.all([
    once(probe, 'message'),
    loopDelay(child),
    sampling,
  ]);
  const sorted = times.toSorted((a, b) => a - b);
  const start = performance.now();
  while (rss(child.pid) > BACK_MB && performance.now() - start < PATIENCE_S * 1_000)
    await sleep(100);
  const back =
    rss(child.pid) > BACK_MB
      ? `over ${PATIENCE_S}`
      : ((performance.now() - start) / 1_000).toFixed(1);
  return [
    peak.toFixed(0),
    sorted[Math.floor(sorted.length * 0.99)].toFixed(0),
    sorted.at(-1).toFixed(0),
    blocked.toFixed(0),
    back,
    outcome,
  ];
}

const counted = (statuses) =>
  Object.entries(
    Object.groupBy?.(statuses, String) ??
      statuses.reduce((all, one) => ({ ...all, [one]: [...(all[one] ?? []), one] }), {}),
  )
    .map(([status, those]) => `${those.length} × ${status}`)
    .join(', ');

await runBenchmark(
  async () => {
    const database = await benchDatabase();
    const preload = fileURLToPath(new URL('memory/loop-delay.mjs', import.meta.url));
    const server = await startServer(
      'dist/main.js',
      {
        ROLE: 'api',
        LOOP_DELAY_FILE: DELAY_FILE,
        DATABASE_URL: database.url,
        LOG_LEVEL: 'fatal',
        BODY_LIMIT_BYTES: String(16 * MIB),
        BODY_BUDGET_ORG_BYTES: String(32 * MIB),
        BODY_BUDGET_BYTES: String(64 * MIB),
      },
      ['--import', preload],
    );
    const orgs = Array.from({ length: ORGANIZATIONS }, () => randomUUID());
    const [org] = orgs;
    const token = await new SignJWT({
      sub: 'bench',
      orgs,
      scope: 'compute:read compute:execute',
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(Buffer.from(SECRET));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const base = `${server.url}/compute/orgs/${org}/${TASK}`;
    const send = async (body, turn = 0) => {
      const address = `${server.url}/compute/orgs/${orgs[turn % ORGANIZATIONS]}/${TASK}`;
      const answer = await fetch(address, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
      }).catch(() => ({ status: 'cut' }));
      await answer.arrayBuffer?.().catch(() => undefined);
      return answer.status;
    };
    console.log(
      `| | peak MB | health p99 ms | longest ms | loop stood still ms | s until below ${BACK_MB} MB | answers |\n|---|--:|--:|--:|--:|--:|---|`,
    );
    const rows = { push: (row) => console.log(`| ${row.join(' | ')} |`) };
    const coordinates = '[123.456,456.789],';
    const numbers = Buffer.from(
      `{"parameters":{"seconds":0},"x":[${coordinates.repeat(Math.floor((15 * MIB) / coordinates.length))}0]}`,
    );
    const arrays = Buffer.from(`{"parameters":{"seconds":0},"x":[${'[],'.repeat(4_000_000)}0]}`);
    for (const parallel of values.parallel.split(',').map(Number)) {
      rows.push([
        `${parallel} bodies of 15 MiB`,
        ...(await watched(server, async () =>
          counted(
            await Promise.all(Array.from({ length: parallel }, (_, turn) => send(numbers, turn))),
          ),
        )),
      ]);
    }
    rows.push([
      '4 million empty arrays',
      ...(await watched(server, async () => counted([await send(arrays)]))),
    ]);
    const job = uuidv7();
    const client = new pg.Client(database.url);
    await client.connect();
    await client.query(
      `WITH ended AS (
         INSERT INTO job_ends (job_id, org_id, status, progress, attempt, failures, crashes, ended_at)
         VALUES ($1, $2, 'succeeded', 100, 1, 0, 0, clock_timestamp())
       )
       INSERT INTO job_submissions (id, org_id, topic, task) VALUES ($1, $2, 'diagnostics', 'sleep')`,
      [job, org],
    );
    await client.query(
      `INSERT INTO job_results (job_id, org_id, results, bytes) SELECT $1, $2, r, octet_length(r::text) FROM (SELECT json_build_object('a', repeat('1234567890', 9000000)) AS r) made`,
      [job, org],
    );
    await client.end();
    rows.push([
      'results of 90 MB',
      ...(await watched(server, async () => {
        const answer = await fetch(`${base}/${job}`, { headers });
        let bytes = 0;
        for await (const part of answer.body) bytes += part.length;
        return `${answer.status}, ${bytes} bytes`;
      })),
    ]);
  },
  { minutes: 5 },
);
