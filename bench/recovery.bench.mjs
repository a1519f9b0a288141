// What it takes to notice: a killed worker, a frozen one, a cancel across replicas, a shutdown.
// node bench/recovery.bench.mjs [--kills 15] [--freezes 2] [--cancels 40] [--markdown file]
import { createSecretKey, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import pg from 'pg';
import { runBenchmark } from './support/cleanup.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { machine } from './support/machine.mjs';
import { SECRET, startServer } from './support/processes.mjs';
import { percentile } from './support/statistics.mjs';
import { publish } from './support/report.mjs';
import { figure, table } from './support/table.mjs';

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '15' },
    freezes: { type: 'string', default: '2' },
    cancels: { type: 'string', default: '40' },
    markdown: { type: 'string' },
  },
});
const org = randomUUID();
const token = await new SignJWT({ orgs: org, scope: 'compute:read compute:execute', sub: 'bench' })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('2h')
  .sign(createSecretKey(Buffer.from(SECRET)));
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

await runBenchmark(
  async () => {
    const database = await benchDatabase();
    const rows = new pg.Client(database.url);
    await rows.connect();
    const start = (ROLE) =>
      startServer('dist/main.js', {
        DATABASE_URL: database.url,
        LOG_LEVEL: 'error',
        ROLE,
        WORKER_SLOTS: '4',
        SHUTDOWN_SECONDS: '0',
      });
    const api = await start('api');
    const base = `${api.url}/compute/orgs/${org}/diagnostics`;

    /** @returns {Promise<string>} the id of a job that runs */
    async function running(task) {
      const answer = await fetch(`${base}/${task}`, {
        method: 'POST',
        headers,
        redirect: 'manual',
        body: '{"parameters":{"seconds":3600}}',
      });
      const id = answer.headers.get('location').split('/').at(-2);
      await until(id, `status = 'in progress'`);
      return id;
    }

    async function until(id, condition) {
      const deadline = Date.now() + 60_000;
      for (;;) {
        const { rowCount } = await rows.query(`SELECT 1 FROM jobs WHERE id = $1 AND ${condition}`, [
          id,
        ]);
        if (rowCount > 0) return;
        if (Date.now() > deadline) throw new Error(`${id} is not yet ${condition}`);
        await sleep(2);
      }
    }

    /** The time by the database's clock, which also tells when attempts start and end. */
    async function now() {
      const { rows: found } = await rows.query('SELECT clock_timestamp() AS now');
      return found[0].now.getTime();
    }

    async function moment(id, column) {
      const { rows: found } = await rows.query(`SELECT ${column} AS at FROM jobs WHERE id = $1`, [
        id,
      ]);
      return found[0].at.getTime();
    }

    async function end(id, task) {
      await fetch(`${base}/${task}/${id}`, { method: 'DELETE', headers });
      await until(id, 'ended_at IS NOT NULL');
    }

    /** From a signal to a worker until another one starts its job again. */
    async function handOver(count, signal) {
      const taken = [];
      for (let time = 0; time < count; time += 1) {
        const victim = await start('worker');
        const id = await running('sleep');
        const other = await start('worker');
        // Somewhere between two heartbeats.
        await sleep(Math.random() * 5_000);
        const at = await now();
        process.kill(victim.child.pid, signal);
        await until(id, 'attempt = 2');
        taken.push((await moment(id, 'started_at')) - at);
        if (signal === 'SIGSTOP') process.kill(victim.child.pid, 'SIGCONT');
        await end(id, 'sleep');
        await Promise.all([victim.stop(), other.stop()]);
      }
      return taken;
    }

    const measured = {
      'kill -9 to next start': await handOver(Number(options.kills), 'SIGKILL'),
      'SIGTERM to next start elsewhere': await handOver(5, 'SIGTERM'),
      'SIGSTOP to next start': await handOver(Number(options.freezes), 'SIGSTOP'),
    };
    const worker = await start('worker');
    for (const [name, task] of [
      ['DELETE to canceled, thread that never yields', 'spin'],
      ['DELETE to canceled, task that heeds its signal', 'sleep'],
    ]) {
      measured[name] = [];
      for (let time = 0; time < Number(options.cancels); time += 1) {
        const id = await running(task);
        await sleep(20 + Math.random() * 200);
        const at = await now();
        await end(id, task);
        measured[name].push((await moment(id, 'ended_at')) - at);
      }
    }
    await worker.stop();
    await rows.end();

    const text = [
      `${new Date().toISOString().slice(0, 10)}, ${machine()}. Milliseconds by the database's clock.`,
      '',
      table([
        ['', 'p50', 'p99', 'longest', 'tries'],
        ...Object.entries(measured)
          .filter(([, taken]) => taken.length > 0)
          .map(([name, taken]) => [
            name,
            ...[50, 99, 100].map((percent) => figure(percentile(taken, percent))),
            String(taken.length),
          ]),
      ]),
      '',
    ].join('\n');
    publish(text, options.markdown);
  },
  { minutes: 15 },
);
