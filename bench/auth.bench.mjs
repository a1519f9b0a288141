// What it costs to verify a token, beside believing one that was verified before; and whether the time
// of a 404 tells another organization's job from no job at all.
//   npm run bench -- auth [--asks 2000] [--markdown figures.md]
import { createSecretKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import jwt from 'jsonwebtoken';
import { SignJWT } from 'jose';
import pg from 'pg';
import { VerifiedTokens } from '../dist/auth/tokens/verified-tokens.js';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { SECRET, startServer } from './support/processes.mjs';
import { publish } from './support/report.mjs';

const { values } = parseArgs({
  options: { asks: { type: 'string', default: '2000' }, markdown: { type: 'string' } },
});
const asks = Number(values.asks);
const ROUNDS = 5;
const claims = { sub: 'bench', orgs: [randomUUID()], scope: 'compute:read compute:execute' };

/** Microseconds of one call: the median of some rounds. */
function microseconds(times, call) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    for (let count = 0; count < times; count += 1) {
      call();
    }
    return Number(process.hrtime.bigint() - start) / 1_000 / times;
  });
  return median(rounds);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const quantile = (numbers, part) =>
  numbers.toSorted((a, b) => a - b)[
    Math.min(numbers.length - 1, Math.floor(numbers.length * part))
  ];

await runBenchmark(
  async () => {
    const lines = ['| Token | verified | believed | ratio |', '|---|--:|--:|--:|'];
    for (const { alg, sign, verify } of kinds()) {
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg })
        .setExpirationTime('1h')
        .sign(sign);
      const known = new VerifiedTokens();
      known.remember(token, { expiresAt: Date.now() / 1_000 + 3_600 });
      const verified = microseconds(2_000, () => jwt.verify(token, verify, { algorithms: [alg] }));
      const believed = microseconds(200_000, () => known.callerOf(token));
      lines.push(
        `| ${alg} | ${verified.toFixed(1)} µs | ${believed.toFixed(2)} µs | ${(verified / believed).toFixed(0)} |`,
      );
    }
    lines.push('', ...(await strangers()));
    publish(lines.join('\n'), values.markdown);
  },
  { minutes: 5 },
);

function kinds() {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = createSecretKey(Buffer.from(SECRET));
  return [
    { alg: 'HS256', sign: secret, verify: secret },
    { alg: 'RS256', sign: rsa.privateKey, verify: rsa.publicKey },
    { alg: 'ES256', sign: ec.privateKey, verify: ec.publicKey },
  ];
}

/** Asks by turns for another organization's job and for one that is nobody's, one at a time. */
async function strangers() {
  const database = await benchDatabase();
  const api = await startServer('dist/main.js', {
    DATABASE_URL: database.url,
    LOG_LEVEL: 'warn',
    ROLE: 'api',
  });
  const [org, other] = [randomUUID(), randomUUID()];
  const client = new pg.Client(database.url);
  await client.connect();
  const { rows } = await client.query(
    `INSERT INTO job_submissions (id, org_id, topic, task)
     SELECT gen_random_uuid(), $1, 'diagnostics', 'sleep' FROM generate_series(1, 10000) RETURNING id`,
    [other],
  );
  await client.end();
  const token = await new SignJWT({ ...claims, orgs: [org] })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(createSecretKey(Buffer.from(SECRET)));
  const ask = async (id) => {
    const start = performance.now();
    const response = await fetch(`${api.url}/compute/orgs/${org}/diagnostics/sleep/${id}/status`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.arrayBuffer();
    if (response.status !== 404) {
      throw new Error(`a stranger's job answered ${response.status}`);
    }
    return performance.now() - start;
  };
  const times = { foreign: [], unknown: [] };
  for (let count = 0; count < asks + 200; count += 1) {
    const foreign = await ask(rows[count % rows.length].id);
    const unknown = await ask(randomUUID());
    if (count >= 200) {
      times.foreign.push(foreign);
      times.unknown.push(unknown);
    }
  }
  const line = (name, of) =>
    `| ${name} | ${median(of).toFixed(3)} ms | ${quantile(of, 0.25).toFixed(3)} ms | ${quantile(of, 0.75).toFixed(3)} ms |`;
  return [
    '| Status of | median | lower quartile | upper quartile |',
    '|---|--:|--:|--:|',
    line('another organization’s job', times.foreign),
    line('no job', times.unknown),
    '',
    `Ratio of the medians: ${(median(times.foreign) / median(times.unknown)).toFixed(3)}, of ${asks} asks each, by turns.`,
  ];
}
