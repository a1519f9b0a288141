// HTTP: status polls and submits per second at 50 connections, against a bare Fastify in the same run.
// node bench/http.bench.mjs [--seconds 8] [--rounds 3] [--markdown file]
import { createSecretKey, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SignJWT } from 'jose';
import pg from 'pg';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { SECRET, startServer } from './support/processes.mjs';
import { median } from './support/statistics.mjs';
import { publish } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    markdown: { type: 'string' },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const CONNECTIONS = 50;
const org = randomUUID();
const token = await new SignJWT({ orgs: org, scope: 'compute:read compute:execute', sub: 'bench' })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('2h')
  .sign(createSecretKey(Buffer.from(SECRET)));
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
const body = JSON.stringify({ parameters: { seconds: 0 } });

/** Requests per second with a 2xx or 3xx answer; any other answer ends the benchmark. */
async function rate(request) {
  const result = await autocannon({
    connections: CONNECTIONS,
    duration: seconds,
    headers,
    ...request,
  });
  if (result.errors > 0 || result.non2xx > result['3xx']) {
    throw new Error(`${result.errors} errors, ${result.non2xx} answers were not 2xx`);
  }
  return (result['2xx'] + result['3xx']) / result.duration;
}

await runBenchmark(
  async () => {
    const database = await benchDatabase();
    const client = new pg.Client(database.url);
    await client.connect();
    const floor = await startServer('bench/floor-server.mjs', { DATABASE_URL: database.url });
    const api = await startServer('dist/main.js', {
      DATABASE_URL: database.url,
      LOG_LEVEL: 'warn',
      ROLE: 'api',
      // So high that nothing is refused, and yet everything is counted.
      RATE_LIMIT_SUBMITS: '1000000',
      RATE_LIMIT_POLLS: '10000000',
    });
    const unlimited = await startServer('dist/main.js', {
      DATABASE_URL: database.url,
      LOG_LEVEL: 'warn',
      ROLE: 'api',
      RATE_LIMIT_SUBMITS: '0',
      RATE_LIMIT_POLLS: '0',
    });
    const job = randomUUID();
    await client.query(
      `WITH running AS (
         INSERT INTO job_leases (job_id, lease_id, worker_id, org_id, topic, task, attempt, failures, crashes, progress)
         VALUES ($1, gen_random_uuid(), gen_random_uuid(), $2, 'diagnostics', 'sleep', 1, 0, 0, 40)
       )
       INSERT INTO job_submissions (id, org_id, topic, task) VALUES ($1, $2, 'diagnostics', 'sleep')`,
      [job, org],
    );
    await client.end();
    const base = `${api.url}/compute/orgs/${org}/diagnostics/sleep`;
    const freely = `${unlimited.url}/compute/orgs/${org}/diagnostics/sleep/${job}/status`;
    const submit = { method: 'POST', body };
    const measured = { 'status polls': [[], []], submits: [[], []] };
    const withoutLimits = [];
    for (let round = 0; round < rounds; round += 1) {
      measured['status polls'][0].push(await rate({ url: `${base}/${job}/status` }));
      withoutLimits.push(await rate({ url: freely }));
      measured['status polls'][1].push(await rate({ url: `${floor.url}/jobs/${job}` }));
      measured.submits[0].push(await rate({ url: base, ...submit }));
      measured.submits[1].push(await rate({ url: `${floor.url}/jobs`, ...submit }));
    }
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. ${CONNECTIONS} connections, medians of ${rounds} rounds of ${seconds} s.`,
      '',
      table([
        ['per second', 'Headframe', 'bare Fastify', 'ratio'],
        ...Object.entries(measured).map(([name, rates]) => {
          const [ours, bare] = rates.map(median);
          return [name, figure(ours), figure(bare), (ours / bare).toFixed(2)];
        }),
      ]),
      '',
      `Status polls without rate limits: ${figure(median(withoutLimits))} a second; with them ${(median(measured['status polls'][0]) / median(withoutLimits)).toFixed(2)} times that.`,
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 10 },
);
