// HTTP: status polls and submits per second at 50 connections, against a bare Fastify in the same run.
// node bench/http.bench.mjs [--seconds 8] [--rounds 3] [--markdown file]
import { createSecretKey, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SignJWT } from 'jose';
import pg from 'pg';
import { runBenchmark } from './support/cleanup.mjs';
import { costsOf } from './support/costs.mjs';
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
/** What is told of each kind of request. */
const FIGURES = {
  rate: 'per second',
  p99: 'p99, ms',
  own: 'processor of the server, µs',
  database: 'processor of PostgreSQL, µs',
};
const CONNECTIONS = 50;
const org = randomUUID();
const token = await new SignJWT({ orgs: org, scope: 'compute:read compute:execute', sub: 'bench' })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('2h')
  .sign(createSecretKey(Buffer.from(SECRET)));
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
const body = JSON.stringify({ parameters: { seconds: 0 } });

/**
 * Requests per second with a 2xx or 3xx answer, the 99th percentile of their times in milliseconds, and what
 * one cost; any other answer ends the benchmark.
 */
async function measure(server, costs, request) {
  await costs.begin([server.child]);
  const result = await autocannon({
    connections: CONNECTIONS,
    duration: seconds,
    headers,
    ...request,
  });
  if (result.errors > 0 || result.non2xx > result['3xx']) {
    throw new Error(`${result.errors} errors, ${result.non2xx} answers were not 2xx`);
  }
  const answered = result['2xx'] + result['3xx'];
  return {
    rate: answered / result.duration,
    p99: result.latency.p99,
    ...(await costs.end(answered)),
  };
}

/** @param {Record<string, number>[]} measures */
const medianOf = (measures, name) => median(measures.map((one) => one[name]));

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
    const costs = await costsOf(database.url);
    const measured = { 'status polls': [[], []], submits: [[], []] };
    const withoutLimits = [];
    for (let round = 0; round < rounds; round += 1) {
      measured['status polls'][0].push(await measure(api, costs, { url: `${base}/${job}/status` }));
      withoutLimits.push(await measure(unlimited, costs, { url: freely }));
      measured['status polls'][1].push(
        await measure(floor, costs, { url: `${floor.url}/jobs/${job}` }),
      );
      measured.submits[0].push(await measure(api, costs, { url: base, ...submit }));
      measured.submits[1].push(
        await measure(floor, costs, { url: `${floor.url}/jobs`, ...submit }),
      );
    }
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. ${CONNECTIONS} connections, medians of ${rounds} rounds of ${seconds} s.`,
      '',
      table([
        ['', 'Headframe', 'bare Fastify', 'ratio', 'least', 'most'],
        ...Object.entries(measured).flatMap(([name, [ours, bare]]) =>
          Object.entries(FIGURES).map(([key, what]) => {
            const ratios = ours.map((one, round) => one[key] / bare[round][key]);
            return [
              `${name}, ${what}`,
              figure(medianOf(ours, key)),
              figure(medianOf(bare, key)),
              median(ratios).toFixed(2),
              Math.min(...ratios).toFixed(2),
              Math.max(...ratios).toFixed(2),
            ];
          }),
        ),
      ]),
      '',
      `Status polls without rate limits: ${figure(medianOf(withoutLimits, 'rate'))} a second, ${figure(medianOf(withoutLimits, 'own'))} µs of the server's processor each.`,
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 10 },
);
