// Event streams: the memory of a replica with a thousand of them open, how soon each hears of its job, and what
// they cost the submits beside them, by turns with a replica that has none.
//   npm run bench -- streams [--streams 1000] [--seconds 4] [--rounds 5] [--markdown file]
import { createSecretKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SignJWT } from 'jose';
import { runBenchmark } from './support/cleanup.mjs';
import { costsOf } from './support/costs.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { load, machine } from './support/machine.mjs';
import { peakMemory, SECRET, startServer } from './support/processes.mjs';
import { publish, say } from './support/report.mjs';
import { median, percentile } from './support/statistics.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    markdown: { type: 'string' },
  },
});
const streams = Number(options.streams);
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const ORGANIZATIONS = 10;
const CONNECTIONS = 50;
const CANCELS = 200;
const LATER = new Date(Date.now() + 86_400_000).toISOString();

const orgs = Array.from({ length: ORGANIZATIONS }, () => randomUUID());
const stranger = randomUUID();
const token = await new SignJWT({
  orgs: [...orgs, stranger],
  scope: 'compute:read compute:execute',
  sub: 'bench',
})
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('2h')
  .sign(createSecretKey(Buffer.from(SECRET)));
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

const residentMb = ({ pid }) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

async function submit(url, org) {
  const answer = await fetch(`${url}/compute/orgs/${org}/diagnostics/sleep`, {
    method: 'POST',
    headers,
    redirect: 'manual',
    body: JSON.stringify({ parameters: { seconds: 0 }, options: { run_after: LATER } }),
  });
  if (answer.status !== 303) throw new Error(`a submit was answered ${answer.status}`);
  return answer.headers.get('location').replace(/\/status$/, '');
}

/** Opens a stream, and says when it told of a status. */
async function open(url, job) {
  const request = http.get(`${url}${job}/events`, { headers, agent });
  const [response] = await once(request, 'response');
  if (response.statusCode !== 200) throw new Error(`a stream was answered ${response.statusCode}`);
  const stream = { job, toldAt: {}, close: () => request.destroy() };
  response.setEncoding('utf8').on('data', (text) => {
    for (const [, status] of text.matchAll(/"status":"([a-z ]+)"/g)) {
      stream.toldAt[status] ??= performance.now();
    }
  });
  response.on('error', () => undefined);
  return stream;
}

/** Submits of an organization: how many a second, and what one cost. */
async function submits({ url, child }, org, costs) {
  await costs.begin([child]);
  const result = await autocannon({
    url: `${url}/compute/orgs/${org}/diagnostics/sleep`,
    connections: CONNECTIONS,
    duration: seconds,
    headers,
    method: 'POST',
    body: JSON.stringify({ parameters: { seconds: 0 } }),
  });
  if (result.errors > 0 || result.non2xx > result['3xx']) {
    throw new Error(`${result.errors} errors, ${result.non2xx} answers were not 2xx`);
  }
  const { own, database } = await costs.end(result['3xx']);
  return { rate: result['3xx'] / result.duration, own, database };
}

const start = (database) =>
  startServer('dist/main.js', {
    DATABASE_URL: database.url,
    LOG_LEVEL: 'warn',
    ROLE: 'api',
    MAX_STREAMS_ORG: String(streams),
    RATE_LIMIT_SUBMITS: '0',
    RATE_LIMIT_POLLS: '0',
  });

await runBenchmark(
  async () => {
    const before = load();
    const database = await benchDatabase();
    const [with_, without] = [await start(database), await start(database)];
    const costs = await costsOf(database.url);
    await submits(with_, stranger, costs);
    await submits(without, stranger, costs);
    const bareMb = residentMb(with_.child);
    say(`opens ${streams} streams`);
    const opened = [];
    for (let count = 0; count < streams; count += 20) {
      const jobs = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          submit(without.url, orgs[(count + index) % ORGANIZATIONS]),
        ),
      );
      opened.push(...(await Promise.all(jobs.map((job) => open(with_.url, job)))));
    }
    const openMb = residentMb(with_.child);

    say('cancels the jobs of some');
    const heard = [];
    for (const stream of opened.slice(0, CANCELS)) {
      await fetch(`${without.url}${stream.job}`, { method: 'DELETE', headers });
      const canceledAt = performance.now();
      while (stream.toldAt.canceled === undefined) await new Promise(setImmediate);
      heard.push(Math.max(0, stream.toldAt.canceled - canceledAt));
    }
    for (const { job } of opened.splice(0, CANCELS)) {
      opened.push(await open(with_.url, await submit(without.url, job.split('/')[3])));
    }

    const measured = { stranger: [], followed: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, org] of [
        ['stranger', stranger],
        ['followed', orgs[0]],
      ]) {
        const turn = round % 2 === 0 ? [with_, without] : [without, with_];
        const pair = new Map();
        for (const server of turn) pair.set(server, await submits(server, org, costs));
        measured[name].push([pair.get(with_), pair.get(without)]);
        say(`${name}, round ${round + 1}`);
      }
    }
    const afterMb = residentMb(with_.child);
    const row = (what, name, key) => {
      const [ours, theirs] = [0, 1].map((side) => measured[name].map((pair) => pair[side][key]));
      const ratios = ours.map((value, round) => value / theirs[round]);
      return [
        what,
        figure(median(ours)),
        figure(median(theirs)),
        median(ratios).toFixed(3),
        Math.min(...ratios).toFixed(3),
        Math.max(...ratios).toFixed(3),
      ];
    };
    const FIGURES = {
      rate: 'a second',
      own: 'processor of the replica, µs each',
      database: 'processor of PostgreSQL, µs each',
    };
    const rows = Object.entries({
      stranger: 'submits of an organization that nobody follows',
      followed: 'submits of one that is followed',
    }).flatMap(([name, what]) =>
      Object.entries(FIGURES).map(([key, unit]) => row(`${what}, ${unit}`, name, key)),
    );
    publish(
      [
        `${new Date().toISOString().slice(0, 10)}, ${machine()}, load ${before} before.`,
        `${streams} streams of as many jobs of ${ORGANIZATIONS} organizations in one replica; ${CONNECTIONS} connections submit, ${rounds} rounds of ${seconds} s by turns.`,
        '',
        table([
          ['memory of the replica', 'MB'],
          ['before the streams', figure(bareMb)],
          ['with them', figure(openMb)],
          ['after the submits', figure(afterMb)],
          ['peak', figure(peakMemory(with_.child))],
        ]),
        '',
        table([['', 'with streams', 'without', 'ratio', 'least', 'most'], ...rows]),
        '',
        `From the answer of a cancel at the other replica to its event: p50 ${figure(median(heard))} ms, p99 ${figure(percentile(heard, 99))} ms, longest ${figure(Math.max(...heard))} ms.`,
        '',
      ].join('\n'),
      options.markdown,
    );
    opened.forEach((stream) => stream.close());
  },
  { minutes: 10 },
);
