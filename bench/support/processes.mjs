// Servers under measurement, each in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const SECRET = 'a-secret-that-only-benchmarks-use-0123456789';

/**
 * Starts a server and waits, at most 20 seconds, until it answers.
 * @param {string} script below the project's folder
 * @param {Record<string, string>} env
 * @returns {Promise<{url: string, stop(): Promise<void>}>}
 */
export async function startServer(script, env) {
  const file = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, PORT: String(port), AUTH_JWT_SECRET: SECRET, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const deadline = Date.now() + 20_000;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${script} does not answer`);
    }
    await sleep(50);
  }
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

const answers = (url) =>
  fetch(`${url}/health/live`).then(
    () => true,
    () => false,
  );

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
