// What a client that polls a job sees while the only replica is restarted, and while its database is.
//   npm run bench -- restart
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { SECRET } from './support/processes.mjs';

const ROUNDS = 5;
const PORT = 3_478;
const POLL_MS = 20;
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

await runBenchmark(
  async () => {
    const database = await benchDatabase();
    const org = randomUUID();
    const token = await new SignJWT({
      sub: 'bench',
      orgs: [org],
      scope: 'compute:read compute:execute',
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(Buffer.from(SECRET));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const start = () =>
      spawn(process.execPath, [MAIN], {
        env: {
          PATH: process.env.PATH,
          PORT: String(PORT),
          DATABASE_URL: database.url,
          AUTH_JWT_SECRET: SECRET,
          LOG_LEVEL: 'fatal',
          SHUTDOWN_SECONDS: '1',
        },
        stdio: 'inherit',
      });
    const poll = (path) =>
      fetch(`http://127.0.0.1:${PORT}${path}`, { headers }).then(
        async (answer) => (await answer.arrayBuffer(), answer.status),
        () => 'refused',
      );
    let service = start();
    const ready = async () => {
      while ((await poll('/health/ready')) !== 200) await sleep(POLL_MS);
    };
    await ready();
    const submitted = await fetch(
      `http://127.0.0.1:${PORT}/compute/orgs/${org}/diagnostics/sleep`,
      {
        method: 'POST',
        headers,
        redirect: 'manual',
        body: '{"parameters":{"seconds":600}}',
      },
    );
    const status = submitted.headers.get('location');

    console.log(
      '| | seconds until the status is answered again, each round | answers meanwhile |\n|---|---|---|',
    );
    const times = [];
    const seen = new Map();
    for (let round = 0; round < ROUNDS; round++) {
      const from = performance.now();
      service.kill('SIGTERM');
      const restarted = once(service, 'exit').then(() => {
        service = start();
      });
      // First until it is gone, then until it is back.
      let answer = await poll(status);
      while (answer === 202) answer = await poll(status);
      while (answer !== 202) {
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
        await sleep(POLL_MS);
        answer = await poll(status);
      }
      await restarted;
      times.push(((performance.now() - from) / 1_000).toFixed(1));
    }
    console.log(
      `| restart of the only replica, a job running | ${times.join(', ')} | ${[...seen].map((pair) => pair.reverse().join(' × ')).join(', ')} |`,
    );
    service.kill('SIGKILL');
    await once(service, 'exit');
  },
  { minutes: 3 },
);
