import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
/** A first start makes a database cluster; on a slow disk that takes its time. */
const READY_WITHIN_MS = 120_000;
/** Longer than the service's own deadline for handing its jobs back. */
const STOP_WITHIN_MS = 30_000;

/** The service did not come up, or did not stay up. */
export class ServiceFailure extends Error {
  override readonly name = 'ServiceFailure';
}

/** The service as a child process, with its log in a file. */
export class ServiceProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly logFile: string,
    /** Fulfilled when the process has ended, however it did. */
    readonly ended: Promise<void>,
  ) {}

  /**
   * Starts the service; it is not ready yet.
   * @param logFile is written anew
   */
  static start(address: { host: string; port: string }, logFile: string): ServiceProcess {
    writeFileSync(logFile, '');
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, PORT: address.port },
      stdio: ['ignore', log, log],
      // A process group of its own: Ctrl-C reaches the demo alone, which then stops the service once.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const ended = once(child, 'exit').then(
      () => undefined,
      () => undefined,
    );
    return new ServiceProcess(child, urlOf(address), logFile, ended);
  }

  get isRunning(): boolean {
    return (
      this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null
    );
  }

  /**
   * Waits until the service says that it is ready.
   * @param tick called about ten times a second
   * @throws ServiceFailure when the process ends first, or time runs out
   */
  async ready(tick: () => void, signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await this.answersReady())) {
      signal.throwIfAborted();
      if (!this.isRunning) throw this.failure('The service ended before it was ready.');
      if (Date.now() > deadline) {
        throw this.failure(`The service was not ready within ${READY_WITHIN_MS / 1000} s.`);
      }
      tick();
      await sleep(100);
    }
  }

  /** Lets the service finish what it does, and waits for its end; kills it when that takes too long. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.dismiss();
    const late = setTimeout(() => this.kill(), STOP_WITHIN_MS);
    await this.ended;
    clearTimeout(late);
  }

  /** Asks the service to stop, without waiting: for the moment before this process ends. */
  dismiss(): void {
    if (this.isRunning) this.child.kill('SIGTERM');
  }

  kill(): void {
    if (this.isRunning) this.child.kill('SIGKILL');
  }

  /** An error that shows the end of the log, and says where the rest is. */
  failure(what: string): ServiceFailure {
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-15);
    const tail = lines.map((line) => `  ${readable(line)}`).join('\n');
    return new ServiceFailure(
      `${what} The end of its log:\n\n${tail}\n\nThe whole log: ${this.logFile}\n` +
        'To see the service alone, run npm start; its settings are environment variables (README.md).',
    );
  }

  private async answersReady(): Promise<boolean> {
    try {
      const reply = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
      await reply.arrayBuffer();
      return reply.ok;
    } catch {
      return false;
    }
  }
}

/**
 * The port to serve on: the wanted one when it is given (which must be free then), else 3000 or,
 * when something else is there, any free one.
 * @throws ServiceFailure when the wanted port is taken
 */
export async function choosePort(host: string, wanted: string | undefined): Promise<string> {
  if (wanted === undefined || wanted === '') return (await listen(host, 3000)) ?? freePort(host);
  const port = Number(wanted);
  if (port === 0) return freePort(host);
  // What is no port at all the service itself refuses, and says which variable is wrong.
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return wanted;
  const free = await listen(host, port);
  if (free === null) {
    throw new ServiceFailure(
      `Port ${wanted} of ${host} is taken, by another program or another Headframe.\n` +
        'Stop that, set PORT to another one, or leave PORT unset: the demo then takes a free port.',
    );
  }
  return free;
}

async function freePort(host: string): Promise<string> {
  const port = await listen(host, 0);
  if (port === null) throw new ServiceFailure(`No port of ${host} is free.`);
  return port;
}

/** Listens for a moment: the port, or null when it is taken. */
async function listen(host: string, port: number): Promise<string | null> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return null;
    throw new ServiceFailure(`Cannot listen on ${host}, port ${port}: ${String(error)}`);
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' && address !== null ? address.port : port);
}

/** Where to reach a service that listens on this address; on all addresses means this machine, too. */
function urlOf({ host, port }: { host: string; port: string }): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** A log line as a person reads it: the message of a structured one. */
function readable(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    const parts = [msg, err?.message].filter((part) => part !== undefined && part !== '');
    if (parts.length > 0) return [...new Set(parts)].join(': ').slice(0, 300);
  } catch {
    // Plain text.
  }
  return line.slice(0, 300);
}
