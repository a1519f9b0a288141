// Processes under measurement: servers that answer over HTTP, and workers that speak by messages.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { atEnd } from './cleanup.mjs';

export const SECRET = 'a-secret-that-only-benchmarks-use-0123456789';

/** A process that does not heed SIGTERM is killed after this long. */
const PATIENCE_MS = 15_000;

/**
 * Starts a server and waits, at most a minute, until it answers.
 * @param {string} script below the project's folder
 * @param {Record<string, string>} env
 * @param {string[]} flags of Node itself; with any, the child can send messages
 * @returns {Promise<{url: string, child: import('node:child_process').ChildProcess, stop(): Promise<void>}>}
 */
export async function startServer(script, env, flags = []) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [...flags, fileOf(script)], {
    env: { PATH: process.env.PATH, PORT: String(port), AUTH_JWT_SECRET: SECRET, ...env },
    stdio: ['ignore', 'inherit', 'inherit', ...(flags.length > 0 ? ['ipc'] : [])],
  });
  const stop = stopper(child);
  const deadline = Date.now() + 60_000;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${script} does not answer`);
    }
    await sleep(50);
  }
  return { url, child, stop };
}

/**
 * Starts a script that speaks by messages.
 * @param {string} script below the project's folder
 * @param {string[]} args
 */
export function startChild(script, args) {
  const child = fork(fileOf(script), args, {
    env: { PATH: process.env.PATH, AUTH_JWT_SECRET: SECRET },
    serialization: 'json',
  });
  return { child, stop: stopper(child) };
}

/** The most memory that a process has held so far, in MB; null where the system does not tell. */
export function peakMemory({ pid }) {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}

/** A port of the loopback interface that is free now. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** @returns {() => Promise<void>} ends that process alone, by its id; harmless when it has ended */
export function stopper(child) {
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await exit;
    clearTimeout(kill);
  };
  atEnd(stop);
  return stop;
}

const fileOf = (script) => fileURLToPath(new URL(`../../${script}`, import.meta.url));

const answers = (url) =>
  fetch(`${url}/health/live`).then(
    () => true,
    () => false,
  );
