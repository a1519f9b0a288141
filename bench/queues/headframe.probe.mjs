// Loaded into a worker of the service before anything else (node --import): tells the benchmark the
// moment at which the code of each sleep task is called. The service itself is left as it is.
import sleep from '../../dist/tasks/diagnostics/sleep/sleep.task.js';
import { now } from '../support/clock.mjs';

const { run } = sleep;
sleep.run = (parameters, context) => {
  process.send({ key: context.jobId, at: now() });
  return run(parameters, context);
};
process.channel.unref();
