import { ACTOR } from '../../support/jobs.js';
import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { type JobKey, NO_OPTIONS } from '../../../src/jobs/job/job.js';
import type { LeaseStore } from '../../../src/jobs/lease/lease.store.js';
import { ORGANIZATIONS, type Stage, TASKS } from './model-actors.js';
import { beat, drain, tend } from './model-care.js';
import type { Choice } from './model-choices.js';
import { claim } from './model-claim.js';
import { type Action, endAsCanceled } from './model-step.js';
import { expectThat, isRunning } from './model-world.js';
import { endCanceled, fail, postpone, progress, release, succeed } from './model-writes.js';

const HOUR_SECONDS = 3_600;

/**
 * @param leases the store of this action alone: what is done at the same time does not share batches
 * @returns null when there is nothing yet that the choice could be about
 */
export function actionOf(stage: Stage, choice: Choice, leases: LeaseStore): Action | null {
  switch (choice.do) {
    case 'submit':
      return submit(stage, choice);
    case 'claim':
      return claim(stage, choice);
    case 'progress':
      return progress(stage, leases, choice.leases, choice.percent);
    case 'succeed':
      return succeed(stage, leases, choice.leases);
    case 'release':
      return release(stage, leases, choice.leases);
    case 'fail':
      return fail(stage, leases, choice.lease, choice.retryable);
    case 'postpone':
      return postpone(stage, leases, choice.lease, choice.seconds);
    case 'endCanceled':
      return endCanceled(stage, leases, choice.lease);
    case 'requestCancel':
      return requestCancel(stage, choice.job, choice.foreign);
    case 'beat':
      return beat(stage, choice.actor);
    case 'drain':
      return drain(stage, choice.actor);
    case 'tend':
      return tend(stage);
    default:
      return choice satisfies never;
  }
}

function submit(stage: Stage, choice: Choice & { do: 'submit' }): Action {
  const { name: task, topic } = TASKS[choice.task % TASKS.length] as (typeof TASKS)[number];
  const jobs = Array.from({ length: choice.count }, (_, index) => {
    const orgId = ORGANIZATIONS[(choice.organization + index) % ORGANIZATIONS.length] as string;
    const key: JobKey = { jobId: uuidv7(), orgId, topic, task };
    return { name: stage.name(key.jobId, 'J'), key };
  });
  const { priority, maxAttempts, runAfter, expires } = choice;
  const wish = [
    `task ${task}`,
    `priority ${priority}`,
    `${maxAttempts} attempts`,
    ...(runAfter === null ? [] : [`run after: ${runAfter}`]),
    ...(expires ? ['expires'] : []),
  ].join(', ');
  const names = jobs.map(
    ({ name, key }) =>
      `${name} of organization ${ORGANIZATIONS.findIndex((id) => id === key.orgId)}`,
  );
  return {
    title: `submit ${names.join(', ')} (${wish})`,
    async perform() {
      const ahead = { past: -HOUR_SECONDS, later: HOUR_SECONDS };
      const options = {
        ...NO_OPTIONS,
        priority,
        runAfter: runAfter === null ? null : new Date(Date.now() + ahead[runAfter] * 1_000),
        expiresAfterSeconds: expires ? HOUR_SECONDS : null,
      };
      await Promise.all(
        jobs.map(({ name, key }) => {
          const parameters = JSON.stringify({ job: name });
          return stage.engine.submits.create({
            ...key,
            maxAttempts,
            parameters,
            options,
            by: ACTOR,
          });
        }),
      );
      stage.keys.push(...jobs);
      return {
        answer: 'done',
        step: (world) => {
          for (const { name, key } of jobs) {
            world.jobs.set(key.jobId, {
              ...UNSTARTED,
              name,
              key,
              priority,
              maxAttempts,
              runAfter: runAfter === 'later' ? 'later' : null,
              expires: expires ? 'later' : null,
              kept: [],
            });
          }
        },
      };
    },
  };
}

const UNSTARTED = {
  status: 'requested',
  attempt: 0,
  failures: 0,
  crashes: 0,
  progress: 0,
  message: null,
  lease: null,
  worker: null,
  error: null,
  results: null,
} as const;

function requestCancel(stage: Stage, nth: number, foreign: boolean): Action | null {
  const chosen = stage.keys[nth % stage.keys.length];
  if (chosen === undefined) {
    return null;
  }
  const { name } = chosen;
  const key = foreign ? { ...chosen.key, orgId: randomUUID() } : chosen.key;
  return {
    title: `requestCancel ${name}${foreign ? ' by another organization' : ''}`,
    async perform() {
      const answer = await stage.engine.ends.requestCancel(key, ACTOR);
      return {
        answer: answer?.status ?? 'no such job',
        step: (world) => {
          const job = world.jobs.get(key.jobId);
          expectThat(job !== undefined, `${name} is not there yet`);
          if (foreign) {
            return expectThat(answer === null, 'another organization was answered');
          }
          if (job.status === 'requested') {
            endAsCanceled(job);
          } else if (job.status === 'in progress') {
            job.status = 'canceling';
          }
          expectThat(
            answer?.status === job.status,
            `the cancel of ${name} answered ${answer?.status} instead of ${job.status}`,
          );
          expectThat(
            answer.workerId === (isRunning(job) ? job.worker : null),
            `the cancel of ${name} tells the wrong worker`,
          );
        },
      };
    },
  };
}
