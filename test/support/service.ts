import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { TEST_SECRET } from './tokens.js';

/** A replica in a process of its own: the built service, as it is deployed. */
export interface Service {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly pid: number;
  /** Fulfilled when the process has ended, however it did. */
  readonly ended: Promise<unknown>;
  /** What it has logged so far, as text. */
  log(): string;
  /** What it has logged so far, line by line. */
  logLines(): Record<string, unknown>[];
  /** Sends a signal and waits for the end. @returns the exit code, or null after a signal */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** SIGKILL, unless it has ended already: for cleaning up. */
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const START_MS = 30_000;

/**
 * Starts a replica on a free port and waits until it listens.
 * @param environment beside what every test needs; the test run's own is not passed on
 * @param command what to run it by, if not directly; it must become the service, as `exec` does
 * @param main the program: that of another build, perhaps
 */
export async function startService(
  databaseUrl: string,
  environment: Record<string, string> = {},
  command: readonly string[] = [],
  main = MAIN,
): Promise<Service> {
  const [program, ...words] = [...command, process.execPath, '--enable-source-maps', main];
  const child = spawn(program as string, words, {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATABASE_URL: databaseUrl,
      AUTH_JWT_SECRET: TEST_SECRET,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const url = await listening(child, () => output);
  return {
    url,
    pid: child.pid as number,
    ended,
    log: () => output,
    logLines: () => parseLines(output),
    async end(signal) {
      child.kill(signal);
      const [code, endedBy] = await ended;
      if (code === null && endedBy !== signal) {
        throw new Error(`The service was ended by ${endedBy}:\n${output.slice(-4_000)}`);
      }
      return code;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await ended;
      }
    },
  };
}

/** Runs the service to its end: for starts that are refused. @returns exit code and all output */
export async function runService(
  environment: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: START_MS,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

async function listening(child: ChildProcess, output: () => string): Promise<string> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const line = parseLines(output()).find(({ msg }) => msg === 'listening');
    if (line !== undefined) {
      return String(line.url);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill('SIGKILL');
  throw new Error(`The service did not start:\n${output()}`);
}

const parseLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
