import { ConnectionError, type HeadframeClient, type Job, type JobStatus } from 'headframe-client';
import { CliError } from '../cli-error.js';
import { tellSeconds } from '../duration.js';
import { EXIT } from '../exit-code.js';
import { jobName } from '../job-name.js';
import type { Surroundings } from '../surroundings.js';
import { oneLine } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

export interface FollowOptions {
  /** Seconds after which nobody waits any more. */
  readonly for?: number | undefined;
  /** Called with each change, when somebody wants more than the progress bar. */
  readonly onStatus?: ((status: JobStatus) => void) | undefined;
}

/**
 * Follows a job to its end, however it ends, with a progress bar. Ctrl-C and the end of patience end the
 * following alone.
 * @returns its last status
 * @throws CliError when it was left before its end
 */
export async function followJob(
  client: HeadframeClient,
  job: Job,
  { surroundings, terminal }: { surroundings: Surroundings; terminal: Terminal },
  { for: seconds, onStatus }: FollowOptions,
): Promise<JobStatus> {
  const leave = new AbortController();
  const stopListening = surroundings.onInterrupt(() => leave.abort(detached(job)));
  const timer =
    seconds === undefined
      ? undefined
      : setTimeout(() => leave.abort(tooLate(job, seconds)), seconds * 1000);
  const bar = terminal.progress();
  let last: JobStatus | null = null;
  const draw = () => {
    if (last !== null && last.error === undefined && !('result' in last.links))
      bar.update(percentOf(last), oneLine(last.message ?? last.status));
  };
  // The clock of the bar goes on while nothing changes.
  const clock = surroundings.stderr.isTTY === true ? setInterval(draw, 500) : undefined;
  try {
    const end = await client.wait(job, {
      signal: leave.signal,
      onProgress(status) {
        last = status;
        if (onStatus !== undefined) onStatus(status);
        draw();
      },
    });
    bar.finish(oneLine(ending(end)));
    return end;
  } catch (error) {
    bar.finish();
    if (leave.signal.aborted || !(error instanceof ConnectionError)) throw error;
    throw new CliError(EXIT.unreachable, error.message, `The job goes on.\n${hints(job)}`);
  } finally {
    clearTimeout(timer);
    clearInterval(clock);
    stopListening();
  }
}

/** How the command ends when the job has. */
export function exitCodeOf({ status }: JobStatus): 0 | 1 | 3 {
  if (status === 'succeeded') return EXIT.succeeded;
  return status === 'canceled' ? EXIT.canceled : EXIT.failed;
}

/** How to go on with a job that was left. */
export function hints(job: Job): string {
  const name = jobName(job);
  return `Follow it again: headframe wait ${name}\nCancel it: headframe cancel ${name}`;
}

function percentOf({ status, progress }: JobStatus): number | null {
  return status === 'in progress' ? progress : null;
}

function ending({ status, message, error }: JobStatus): string {
  if (error !== undefined) return `${status}: ${error.detail ?? error.title}`;
  return message === undefined ? status : `${status}: ${message}`;
}

function detached(job: Job): CliError {
  return new CliError(EXIT.detached, 'Left; the job goes on.', hints(job));
}

function tooLate(job: Job, seconds: number): CliError {
  const message = `It has not ended within ${tellSeconds(seconds)}; the job goes on.`;
  return new CliError(EXIT.waitedTooLong, message, hints(job));
}
