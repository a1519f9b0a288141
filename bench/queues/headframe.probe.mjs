// Loaded into a replica of the service before anything else (node --import): tells the benchmark the
// moment at which the code of each sleep task is called, and adds jobs to this very process when asked
// to. The service itself is left as it is.
import { v7 as uuidv7 } from 'uuid';
import { JobSignals } from '../../dist/jobs/job/job-signals.js';
import { SubmitStore } from '../../dist/jobs/submit/submit.store.js';
import sleep from '../../dist/tasks/diagnostics/sleep/sleep.task.js';
import { now } from '../support/clock.mjs';
import { addToStart } from './add-to-start.mjs';
import { addJob } from './headframe-add.mjs';

/** What is called for a job that this process has added itself. */
const begun = new Map();
/** The service's own, known from its first submit on. */
let jobs;
let signals;

const { run } = sleep;
sleep.run = (parameters, context) => {
  const own = begun.get(context.jobId);
  if (own === undefined) process.send({ key: context.jobId, at: now() });
  else own(now());
  return run(parameters, context);
};

const { create } = SubmitStore.prototype;
SubmitStore.prototype.create = function (job) {
  jobs = this;
  return create.call(this, job);
};
const { on } = JobSignals.prototype;
JobSignals.prototype.on = function (...listener) {
  signals = this;
  return on.apply(this, listener);
};

process.on('message', ({ addToSelf }) => {
  const add = () => {
    const jobId = uuidv7();
    const started = new Promise((resolve) => begun.set(jobId, resolve));
    return { added: addJob(jobs, signals, jobId), started };
  };
  void addToStart(add, addToSelf).then((waits) => process.send({ waits }));
});
process.channel.unref();
