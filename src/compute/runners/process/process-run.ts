import type { AttemptOutcome } from '../../../jobs/lease/attempt-outcome.js';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { cutText } from '../../../platform/text/cut-text.js';
import type { Attempt, StopReason } from '../attempt.js';
import type { AttemptLog } from './output/attempt-log.js';
import type { ProcessTask } from '../../task.js';
import { fillIn } from '../../catalogue/process-command.js';
import { environmentOf, executableOf, placeholdersOf } from './group/process-environment.js';
import { ProcessGroup } from './group/process-group.js';
import { hintOf } from './output/process-hints.js';
import { outcomeOf } from './process-outcome.js';
import { type ProcessLimits, ProcessOutput } from './process-output.js';

/** After a lost lease another worker may begin soon: no time to be polite. */
const LEASE_LOST_GRACE_MS = 200;
/** A shutdown has promised to take no longer. */
const SHUTDOWN_GRACE_MS = 5_000;
/** What writes too much is hardly waited for. */
const EXCESS_GRACE_MS = 500;
/**
 * So long a command may go on after it has said how it went: then it is taken for one that does not end
 * (threads that are left, licence daemons), and is stopped. A launcher has to clear up elsewhere first.
 */
const ANSWERED_MS = 1_000;
const ANSWERED_BEHIND_LAUNCHER_MS = 10_000;
/** What it still does then is not worth much patience. */
const ANSWERED_GRACE_MS = 1_000;
const CANCEL_TIMEOUT_MS = 10_000;
/** So much of what a failing cancel command says is in the log of the job. */
const SHOWN_CHARACTERS = 1_000;

/** One attempt of a process task, from the start of the command to the end of all that it started. */
export class ProcessRun {
  private readonly task: ProcessTask;
  private readonly command: readonly string[];
  private readonly cancel: readonly string[];
  private readonly environment: Readonly<Record<string, string>>;
  private stopping: Promise<void> | null = null;
  private answered: NodeJS.Timeout | null = null;

  constructor(
    private readonly attempt: Attempt,
    private readonly log: AttemptLog,
    private readonly workFolder: string,
    private readonly limits: ProcessLimits,
  ) {
    this.task = attempt.entry.task as ProcessTask;
    const { process } = this.task;
    const values = placeholdersOf(attempt, process, workFolder);
    this.command = fillIn([...process.launcher, ...process.command], values);
    this.cancel = fillIn(process.cancel, values);
    this.environment = environmentOf(attempt, process, workFolder);
  }

  /** @param parameters a JSON document, as text */
  async execute(parameters: string): Promise<AttemptOutcome> {
    const { signal } = this.attempt;
    const [program = ''] = this.command;
    const output = new ProcessOutput(this.log, this.limits, {
      progress: (percent, message) => this.attempt.onProgress(percent, message),
      excess: () => this.stop(group, EXCESS_GRACE_MS),
      answered: () => this.letEnd(group),
    });
    const path = this.environment.PATH ?? '';
    if ((await executableOf(program, path)) === null) {
      this.log.note(`the command ${program} is not there, or may not be executed`);
      return outcomeOf(null, output.report, this.task, this.limits);
    }
    if (signal.aborted) {
      return { kind: 'stopped' };
    }
    const group = this.start();
    const onAbort = () => {
      const graceMs = this.graceMs(signal.reason as StopReason);
      this.stop(group, this.answered === null ? graceMs : Math.min(graceMs, ANSWERED_GRACE_MS));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    group.stdin.end(`${parameters}\n`);

    const end = await this.endOf(group, output);
    signal.removeEventListener('abort', onAbort);
    clearTimeout(this.answered ?? undefined);
    if (signal.reason !== 'lease lost') {
      await this.stopping;
    }
    const { report } = output;
    // What it had said before it was stopped counts, however it took that.
    const stopped = this.stopping !== null;
    if (signal.aborted && !report.answered) {
      return { kind: 'stopped' };
    }
    const failed = end !== null && end.code !== 0 && !stopped;
    const hint = failed ? await hintOf(this.command, end, path) : null;
    return outcomeOf(end, report, this.task, this.limits, { stopped, hint });
  }

  /** It has said how it went: it is given a little time to end by itself, anew whenever it says more. */
  private letEnd(group: ProcessGroup): void {
    const { launcher } = this.task.process;
    clearTimeout(this.answered ?? undefined);
    this.answered = setTimeout(
      () => {
        if (this.stopping === null) {
          this.log.note('the command had said how it went and did not end: it is stopped');
          this.stop(group, ANSWERED_GRACE_MS);
        } else {
          group.signal('SIGKILL');
        }
      },
      launcher.length === 0 ? ANSWERED_MS : ANSWERED_BEHIND_LAUNCHER_MS,
    );
  }

  private start(): ProcessGroup {
    const { launcher, memoryMegabytes } = this.task.process;
    return new ProcessGroup({
      command: this.command,
      cancel: this.cancel,
      environment: this.environment,
      workFolder: this.workFolder,
      // With a launcher the resources are those of what it starts, which it limits itself.
      memoryMegabytes: launcher.length === 0 ? memoryMegabytes : null,
    });
  }

  private async endOf(group: ProcessGroup, output: ProcessOutput) {
    const destroyed = group.ended.then(() => group.destroy());
    const [end, alone] = await Promise.all([group.ended, destroyed, output.read(group, destroyed)]);
    if (!alone) {
      this.log.note('something that the command started could not be killed');
    }
    return end;
  }

  private graceMs(reason: StopReason): number {
    const own = this.task.process.graceSeconds * 1_000;
    switch (reason) {
      case 'lease lost':
        return Math.min(own, LEASE_LOST_GRACE_MS);
      case 'no free slot':
      case 'shutting down':
        return Math.min(own, SHUTDOWN_GRACE_MS);
      case 'canceled':
      case 'timed out':
        return own;
      default:
        return reason satisfies never;
    }
  }

  /** Asks the command to end, and kills it when the grace time is over. Only the first call counts. */
  private stop(group: ProcessGroup, graceMs: number): void {
    this.stopping ??= Promise.all([this.end(group, graceMs), this.runCancel()]).then(
      () => undefined,
    );
  }

  private async end(group: ProcessGroup, graceMs: number): Promise<void> {
    group.signal('SIGTERM');
    const ended = new AbortController();
    void group.ended.then(() => ended.abort());
    await sleep(graceMs, undefined, { signal: ended.signal }).then(
      () => group.signal('SIGKILL'),
      () => undefined,
    );
  }

  /** Never rejects: that the cancel command failed, and what it said, is in the log of the job. */
  private async runCancel(): Promise<void> {
    const [program, ...words] = this.cancel;
    if (program === undefined) {
      return;
    }
    const options = {
      cwd: this.workFolder,
      env: this.environment,
      timeout: CANCEL_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    } as const;
    await new Promise<void>((resolve) => {
      execFile(program, words, options, (error, stdout, stderr) => {
        if (error !== null) {
          const said = `${stdout}${stderr}`.trim() || error.message;
          this.log.note(`the cancel command failed: ${cutText(said, SHOWN_CHARACTERS)}`);
        }
        resolve();
      });
    });
  }
}
