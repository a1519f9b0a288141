// What a thousand jobs cost as one batch, and as a thousand submits: one after the other, and 50 at once.
// node bench/batch.bench.mjs [--rounds 5] [--markdown file]
import { createSecretKey, randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { parseArgs } from 'node:util';
import { SignJWT } from 'jose';
import { runBenchmark } from './support/cleanup.mjs';
import { costsOf } from './support/costs.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { post } from './support/post.mjs';
import { SECRET, startServer } from './support/processes.mjs';
import { publish } from './support/report.mjs';
import { median } from './support/statistics.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, markdown: { type: 'string' } },
});
const JOBS = 1_000;
const org = randomUUID();
const token = await new SignJWT({ orgs: org, scope: 'compute:read compute:execute', sub: 'bench' })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('2h')
  .sign(createSecretKey(Buffer.from(SECRET)));
const one = JSON.stringify({ parameters: { seconds: 0 } });
const all = JSON.stringify({ parameters: Array.from({ length: JOBS }, () => ({ seconds: 0 })) });

await runBenchmark(
  async () => {
    const database = await benchDatabase();
    const api = await startServer('dist/main.js', {
      DATABASE_URL: database.url,
      LOG_LEVEL: 'warn',
      ROLE: 'api',
      RATE_LIMIT_SUBMITS: '0',
    });
    const url = new URL(`${api.url}/compute/orgs/${org}/diagnostics/sleep`);
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const send = (path, body, expected) =>
      post(new URL(url + path), { agent, token, body, expected });
    const singles = async (callers) => {
      let left = JOBS;
      await Promise.all(
        Array.from({ length: callers }, async () => {
          while ((left -= 1) >= 0) await send('', one, 303);
        }),
      );
    };
    const ways = {
      'a batch': () => send('/batch', all, 200),
      'submits, one after the other': () => singles(1),
      'submits, 50 at once': () => singles(50),
    };
    const costs = await costsOf(database.url);
    const measured = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
    for (let round = 0; round <= Number(options.rounds); round += 1) {
      for (const [name, way] of Object.entries(ways)) {
        await costs.begin([api.child]);
        const began = performance.now();
        await way();
        const took = performance.now() - began;
        const cost = await costs.end(JOBS);
        // The first round warms up.
        if (round > 0) measured[name].push({ took, ...cost });
      }
    }
    const of = (name, key) => median(measured[name].map((each) => each[key]));
    const ratio = (name, key) =>
      median(measured[name].map((each, round) => each[key] / measured['a batch'][round][key]));
    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. ${JOBS} jobs, medians of ${options.rounds} rounds.`,
      '',
      table([
        [
          '',
          'ms',
          '/ batch',
          'processor of the server, µs a job',
          'of PostgreSQL, µs a job',
          'log, bytes a job',
        ],
        ...Object.keys(ways).map((name) => [
          name,
          figure(of(name, 'took')),
          ratio(name, 'took').toFixed(1),
          figure(of(name, 'own')),
          figure(of(name, 'database')),
          figure(of(name, 'wal')),
        ]),
      ]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 10 },
);
