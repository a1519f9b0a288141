import { spawn } from 'node:child_process';

/** @type {Map<import('node:child_process').ChildProcess, Promise<unknown>>} */
const running = new Map();

/**
 * Runs a program to its end and keeps what it prints.
 * @param {string} program @param {string[]} args
 * @param {{cwd: string, env: NodeJS.ProcessEnv, shell?: boolean, onStart?: (pid: number) => void}} options
 * @returns {Promise<{ok: boolean, output: string}>}
 */
export function run(program, args, { onStart, ...options }) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  /** @type {Promise<{ok: boolean, output: string}>} */
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
  running.set(child, ended);
  if (child.pid !== undefined) onStart?.(child.pid);
  return ended.finally(() => running.delete(child));
}

/** npm goes on for a quarter of a minute after it was asked to end; nobody waits that long. */
const PATIENCE_MS = 3_000;

/** Ends whatever still runs, and waits until it has: for Ctrl-C. */
export async function endRunning() {
  for (const child of running.keys()) {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  }
  await Promise.allSettled(running.values());
}

/**
 * What an `npm` started from inside an npm script may know of the outer one: where the registry is and
 * how to get there, but not which flags the outer command had (`--omit`, `--dry-run`, `--workspace`,
 * `--json` and the like would change what is installed).
 */
const KEPT =
  /^npm_config_(\/\/.*|@.*|registry|cache|userconfig|globalconfig|(https?_)?proxy|https_proxy|noproxy|ca|cafile|cert|key|strict_ssl|_auth.*|fetch_.*|maxsockets|network_.*|local_address|offline|prefer_(off|on)line)$/i;

/** @param {NodeJS.ProcessEnv} env */
export function withoutOuterNpm(env) {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(npm_|INIT_CWD$)/i.test(name) || KEPT.test(name.replaceAll('-', '_')),
    ),
  );
}
