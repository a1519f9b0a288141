import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../packages/cli/bin/headframe.js', import.meta.url));

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly ended: Promise<Ended>;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Closes the reading end of its output. */
  hangUp(): void;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  /** Where its output goes instead of a pipe, by the shell. */
  readonly redirect?: string;
}

/** The command `headframe` as people run it: a process of its own, with a home of its own. */
export class CommandLine {
  readonly home = mkdtempSync(path.join(tmpdir(), 'headframe-cli-'));

  /** @param env what every command has around it */
  constructor(private readonly env: Readonly<Record<string, string>> = {}) {}

  get configFile(): string {
    return path.join(this.home, 'headframe', 'config.json');
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  start(
    args: readonly string[],
    { env = {}, stdin, cwd = this.home, redirect }: RunOptions = {},
  ): Running {
    const words = [process.execPath, PROGRAM, ...args];
    const [program = '', ...rest] =
      redirect === undefined ? words : ['/bin/sh', '-c', `"$@" ${redirect}`, 'sh', ...words];
    const child = spawn(program, rest, {
      cwd,
      env: { PATH: process.env.PATH, XDG_CONFIG_HOME: this.home, ...this.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // A command that does not read it may end before all of it is written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    const written = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
    return {
      ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...written })),
      stdout: () => written.stdout,
      stderr: () => written.stderr,
      kill: (signal) => void child.kill(signal),
      hangUp: () => void child.stdout.destroy(),
    };
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
