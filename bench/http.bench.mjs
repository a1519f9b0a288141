// HTTP: status polls and submits per second at 50 connections, against a bare Fastify in the same
// run; and the time from sending a submit to the start of its task while the service is idle.
// node bench/http.bench.mjs [seconds of each measurement, default 8] [rounds, default 3]
import { createSecretKey, randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
import { SignJWT } from 'jose';
import pg from 'pg';
import { benchDatabase } from './support/embedded.mjs';
import { SECRET, startServer } from './support/processes.mjs';
import { median, percentile } from './support/statistics.mjs';

const seconds = Number(process.argv[2] ?? 8);
const rounds = Number(process.argv[3] ?? 3);
const CONNECTIONS = 50;
const org = randomUUID();
const token = await new SignJWT({ orgs: org, scope: 'compute:read compute:execute', sub: 'bench' })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('2h')
  .sign(createSecretKey(Buffer.from(SECRET)));
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
const body = JSON.stringify({ parameters: { seconds: 0 } });

/** Requests per second with a 2xx or 3xx answer; any other answer ends the benchmark. */
async function rate(options) {
  const result = await autocannon({
    connections: CONNECTIONS,
    duration: seconds,
    headers,
    ...options,
  });
  if (result.errors > 0 || result.non2xx > result['3xx']) {
    throw new Error(`${result.errors} errors, ${result.non2xx} answers were not 2xx`);
  }
  return (result['2xx'] + result['3xx']) / result.duration;
}

/** Milliseconds from sending each of many submits, one after the other, to the start of its task. */
async function submitToStart(url, database) {
  const waits = [];
  for (let count = 0; count < 200; count += 1) {
    const sent = Date.now();
    const response = await fetch(`${url}/compute/orgs/${org}/diagnostics/sleep`, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
    });
    const id = response.headers.get('location').split('/').at(-2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { rows } = await database.query(
      'SELECT extract(epoch FROM started_at) * 1000 AS at FROM jobs WHERE id = $1',
      [id],
    );
    waits.push(Number(rows[0].at) - sent);
  }
  return waits;
}

const database = await benchDatabase();
const client = new pg.Client(database.url);
await client.connect();
const floor = await startServer('bench/floor.server.mjs', { DATABASE_URL: database.url });
const env = { DATABASE_URL: database.url, LOG_LEVEL: 'warn' };
try {
  const all = await startServer('dist/main.js', env);
  const waits = await submitToStart(all.url, client);
  await all.stop();
  const round = (value) => Math.round(value).toLocaleString('en');
  const api = await startServer('dist/main.js', { ...env, ROLE: 'api' });
  const job = randomUUID();
  await client.query(
    `INSERT INTO jobs (id, org_id, topic, task, progress) VALUES ($1, $2, 'diagnostics', 'sleep', 40)`,
    [job, org],
  );
  const base = `${api.url}/compute/orgs/${org}/diagnostics/sleep`;
  const figures = { polls: [[], []], submits: [[], []] };
  for (let count = 0; count < rounds; count += 1) {
    figures.polls[0].push(await rate({ url: `${base}/${job}/status` }));
    figures.polls[1].push(await rate({ url: `${floor.url}/jobs/${job}` }));
    figures.submits[0].push(await rate({ url: base, method: 'POST', body }));
    figures.submits[1].push(await rate({ url: `${floor.url}/jobs`, method: 'POST', body }));
  }
  await api.stop();
  console.log(`HTTP, ${CONNECTIONS} connections, median of ${rounds} rounds of ${seconds} s`);
  for (const [name, [ours, theirs]] of Object.entries(figures)) {
    const [mine, bare] = [median(ours), median(theirs)];
    console.log(
      `  ${name.padEnd(8)} ${round(mine).padStart(7)}/s   bare Fastify ${round(bare).padStart(7)}/s   ratio ${(mine / bare).toFixed(2)}`,
    );
  }
  console.log(
    `Submit to start while idle, ${waits.length} submits: p50 ${percentile(waits, 50).toFixed(1)} ms, p99 ${percentile(waits, 99).toFixed(1)} ms`,
  );
} finally {
  await floor.stop();
  await client.end();
  await database.stop();
}
