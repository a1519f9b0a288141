import { type Command, InvalidArgumentError } from 'commander';
import type { ExecuteOptions } from 'headframe-client';
import { repeatable } from '../command.js';
import { secondsOf, wholeSecondsOf } from '../duration.js';

/** What run and rerun have in common. */
export interface FollowingOptions {
  readonly detach?: boolean;
  readonly follow?: boolean;
  readonly for?: number;
  readonly output?: string;
  readonly idempotencyKey?: string;
}

/** What a job is submitted with beside its parameters. */
export interface JobOptions {
  readonly label: readonly string[];
  readonly priority?: number;
  readonly runAfter?: string;
  readonly expiresAfter?: number;
  readonly timeout?: number;
  readonly maxAttempts?: number;
}

export function addFollowingOptions(to: Command): Command {
  return to
    .option('-o, --output <file>', 'write the results to this file, whole or not at all')
    .option('-d, --detach', 'submit alone: print the name of the job, and do not wait for it')
    .option('--follow', 'with --json: each change on a line, and the end on the last')
    .option('--for <time>', 'wait no longer than that, such as 10m; the job goes on', secondsOf)
    .option('--idempotency-key <key>', 'for 24 hours the same key is the same job');
}

export function addJobOptions(to: Command): Command {
  return to
    .addOption(repeatable('-l, --label <name=value>', 'a label, to find the job by; repeatable'))
    .option('--priority <n>', 'among your own jobs: -100 to 100, higher first', wholeNumber)
    .option('--run-after <moment>', 'not before, such as 2026-01-31T12:00:00Z')
    .option('--expires-after <time>', 'fail if it has not started by then', wholeSecondsOf)
    .option('--timeout <time>', 'how long an attempt may run', wholeSecondsOf)
    .option('--max-attempts <n>', 'how many attempts may fail before the job does', wholeNumber);
}

/** The options as the service takes them; nothing when none is given. */
export function executeOptions({
  label,
  priority,
  runAfter,
  expiresAfter,
  timeout,
  maxAttempts,
}: JobOptions): ExecuteOptions | undefined {
  const options: ExecuteOptions = {
    ...(label.length > 0 && { labels: labelsOf(label) }),
    ...(priority !== undefined && { priority }),
    ...(runAfter !== undefined && { run_after: runAfter }),
    ...(expiresAfter !== undefined && { expires_after: expiresAfter }),
    ...(timeout !== undefined && { timeout }),
    ...(maxAttempts !== undefined && { max_attempts: maxAttempts }),
  };
  return Object.keys(options).length === 0 ? undefined : options;
}

export function wholeNumber(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function labelsOf(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const [, name = label, value = ''] = /^([^=]*)=(.*)$/s.exec(label) ?? [];
      return [name, value];
    }),
  );
}
