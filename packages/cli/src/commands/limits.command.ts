import type { Command } from 'commander';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import { fields } from '../terminal/table.js';

export function limitsCommand(runtime: Runtime): Command {
  const limits = command('limits', 'Show what the organization may use, and what it uses', [
    ['headframe limits', 'needs the scope compute:admin'],
    ['headframe limits --json', 'for machines'],
  ]);
  return doing(limits, runtime, showLimits);
}

async function showLimits(context: Context): Promise<void> {
  const { client } = await signedIn(context);
  const { terminal } = context;
  const limits = await client.limits();
  if (terminal.isJson) {
    terminal.json(limits);
    return;
  }
  const { used } = limits;
  const of = (limit: number | null) => (limit === null ? 'any' : String(limit));
  terminal.data(
    fields([
      ['running jobs', `${used.running} of ${of(limits.max_running)}`],
      ['unstarted jobs', `${used.unstarted} of ${of(limits.max_unstarted)}`],
      ['stored bytes', `${used.stored_bytes} of ${of(limits.max_stored_bytes)}`],
      ['weight', String(limits.weight)],
      [
        'ended jobs are kept',
        limits.retention_days === null ? 'for ever' : `${limits.retention_days} days`,
      ],
      ['submits a minute', of(limits.submits_per_minute)],
      ['polls a minute', of(limits.polls_per_minute)],
      ['other requests a minute', of(limits.requests_per_minute)],
    ]),
  );
}
