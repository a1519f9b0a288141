import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { MARKER_VARIABLE } from './process-environment.js';
import { killMarked } from './process-orphans.js';
import { LAUNCH_SCRIPT } from './process-shell.js';

/** How the first process of a group ended: one of the two is set. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessStart {
  readonly command: readonly string[];
  /** Run by the watchdog if this process dies; empty: none. */
  readonly cancel: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workFolder: string;
  /** Address space of each process in MiB; null: no limit. */
  readonly memoryMegabytes: number | null;
}

/**
 * A command with all that it starts, in a session and process group of its own. Nothing of it outlives
 * this process, and nothing outlives {@link destroy}.
 */
export class ProcessGroup {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** When the command has ended, null if it never began; what it started may still run. Never rejects. */
  readonly ended: Promise<ProcessEnd | null>;
  private readonly child: ChildProcess;
  private readonly marker: string;

  constructor({ command, cancel, environment, workFolder, memoryMegabytes }: ProcessStart) {
    this.marker = `${MARKER_VARIABLE}=${randomUUID()}`;
    const [variable = '', value = ''] = this.marker.split('=');
    this.child = spawn(
      '/bin/sh',
      [
        '-c',
        LAUNCH_SCRIPT,
        'headframe',
        String(cancel.length),
        String((memoryMegabytes ?? 0) * 1024),
        this.marker,
        ...cancel,
        ...command,
      ],
      {
        cwd: workFolder,
        env: { ...environment, [variable]: value },
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      },
    );
    this.stdin = this.child.stdin as Writable;
    this.stdout = this.child.stdout as Readable;
    this.stderr = this.child.stderr as Readable;
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
      this.child.once('error', () => resolve(null));
    });
    // A command need not read its parameters, and the lifeline breaks with the watchdog.
    for (const stream of this.child.stdio) {
      stream?.on('error', () => undefined);
    }
  }

  /** Sends a signal to the whole group, if there still is one. */
  signal(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) {
      return;
    }
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // The group is empty.
    }
  }

  /**
   * Kills whatever is left after the command has ended: its group, its watchdog, and those that moved
   * to a group of their own.
   * @returns false when something could not be killed
   */
  async destroy(): Promise<boolean> {
    this.signal('SIGKILL');
    const alone = await killMarked(this.marker);
    this.child.stdio[3]?.destroy();
    return alone;
  }
}
