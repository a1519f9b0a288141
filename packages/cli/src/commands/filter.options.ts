import { type Command, Option } from 'commander';
import type { JobFilter, JobState } from 'headframe-client';
import { usageError } from '../cli-error.js';
import { repeatable } from '../command.js';
import { secondsOf } from '../duration.js';

/** What names jobs on the command line. */
export interface FilterOptions {
  readonly status: readonly string[];
  readonly task?: string;
  readonly label: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly search?: string;
}

/** As they are called here; the service calls one of them by two words. */
const STATES = [
  'requested',
  'in-progress',
  'canceling',
  'succeeded',
  'failed',
  'canceled',
] as const;

/** @param times whether the filter may ask for times */
export function addFilterOptions(to: Command, times: boolean): Command {
  to.addOption(repeatable('-s, --status <status>', `any of these: ${STATES.join(', ')}`))
    .option('-t, --task <topic[/task]>', 'of this task, or of all tasks of this topic')
    .addOption(repeatable('-l, --label <name=value>', 'with all of these labels'))
    .option('--search <words>', 'an id or its beginning, or words of labels and errors');
  return times
    ? to
        .addOption(new Option('--since <time>', 'made in the last 10m, 2h, 3d, or since a moment'))
        .addOption(new Option('--until <time>', 'made before that'))
    : to;
}

/**
 * The filter as the service takes it.
 * @param now milliseconds, for times that count backwards
 */
export function filterOf(
  { status, task, label, since, until, search }: FilterOptions,
  now: number,
): JobFilter {
  const [topic, name] = task?.split('/') ?? [];
  return {
    ...(status.length > 0 && { status: status.map(stateOf) }),
    ...(topic !== undefined && { topic }),
    ...(name !== undefined && { task: name }),
    ...(label.length > 0 && { label: label.map((each) => each.replace('=', ':')) }),
    ...(since !== undefined && { created_after: momentOf('--since', since, now) }),
    ...(until !== undefined && { created_before: momentOf('--until', until, now) }),
    ...(search !== undefined && { q: search }),
  };
}

function stateOf(text: string): JobState {
  const state = STATES.find((each) => each === text.replace(' ', '-'));
  if (state === undefined) {
    throw usageError(`There is no status ${text}.`, `One of these: ${STATES.join(', ')}`);
  }
  return state === 'in-progress' ? 'in progress' : state;
}

function momentOf(option: string, text: string, now: number): string {
  const date = new Date(/^\d{4}-/.test(text) ? text : now - agoOf(option, text) * 1000);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw notAMoment(option);
}

function agoOf(option: string, text: string): number {
  try {
    return secondsOf(text);
  } catch {
    throw notAMoment(option);
  }
}

function notAMoment(option: string): Error {
  return usageError(
    `${option} takes a time.`,
    'Such as 10m, 2h or 3d, or a moment: 2026-01-31T12:00:00Z',
  );
}
