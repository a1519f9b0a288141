// One job into Headframe's queue, as the execute route does it after it has checked the request.
import { randomUUID } from 'node:crypto';
import { NO_OPTIONS } from '../../dist/jobs/job/job.js';
import { PARAMETERS, TASK } from '../support/queue-jobs.mjs';

const ORGANIZATION = randomUUID();
/** Who submits. */
const ACTOR = { subject: 'bench', client: null, address: '127.0.0.1', requestId: 'bench' };

/**
 * The job is committed, then workers are told, unless it runs in this process already.
 * @param {import('../../dist/jobs/submit/submit.store.js').SubmitStore} jobs
 * @param {import('../../dist/jobs/job/job-signals.js').JobSignals} signals
 * @param {string} jobId
 */
export async function addJob(jobs, signals, jobId) {
  const { started } = await jobs.create({
    jobId,
    orgId: ORGANIZATION,
    topic: TASK.topic,
    task: TASK.name,
    maxAttempts: 1,
    options: NO_OPTIONS,
    parameters: PARAMETERS,
    by: ACTOR,
  });
  if (!started) signals.announceWork();
}
