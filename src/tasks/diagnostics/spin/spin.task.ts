import { z } from 'zod';
import { defineTask } from '../../../compute/task.js';

const DAY = 86_400;

const parameters = z.strictObject({
  seconds: z.number().min(0).max(DAY).meta({ description: 'How long to keep one processor busy' }),
});

const results = z.strictObject({
  message: z.string().meta({ description: 'One line for people' }),
  seconds: z.number().min(0).meta({ description: 'How long it was busy' }),
  turns: z.int().min(0).meta({ description: 'How often the loop ran' }),
});

export default defineTask({
  runner: 'thread',
  topic: 'diagnostics',
  name: 'spin',
  displayName: 'Spin',
  version: '1.0.0',
  description:
    'Keeps one processor busy in a loop that never yields, tells no progress and never looks for a ' +
    'cancel: only killing its thread stops it early. For seeing that this happens.',
  parameters,
  results,
  example: { seconds: 2 },
  timeoutSeconds: DAY + 60,
  /** Calls nothing of its context on purpose: telling progress would notice the cancel. */
  run({ seconds }) {
    const started = performance.now();
    let turns = 0;
    while (performance.now() - started < seconds * 1000) turns++;
    const busy = Math.round(performance.now() - started) / 1000;
    return { message: `Was busy for ${busy} seconds`, seconds: busy, turns };
  },
});
