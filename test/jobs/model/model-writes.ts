import { randomUUID } from 'node:crypto';
import type { JobStatus } from '../../../src/jobs/job/job-status.js';
import type { Lease, LeaseStore } from '../../../src/jobs/lease/lease.store.js';
import { PROBLEM } from '../../support/jobs.js';
import type { Stage } from './model-actors.js';
import type { LeaseChoice } from './model-choices.js';
import {
  type Action,
  describe,
  end,
  endAsCanceled,
  type Explanation,
  giveBack,
} from './model-step.js';
import { expectThat, type ModelJob, type World } from './model-world.js';

/** A back-off whose random part is never so small that it ends within a run. */
const ENDLESS_SECONDS = 1e12;

export function progress(
  stage: Stage,
  leases: LeaseStore,
  choices: readonly LeaseChoice[],
  percent: number,
): Action | null {
  const picked = pickAll(stage, choices);
  if (picked === null) {
    return null;
  }
  const message = percent === 0 ? null : stage.mark();
  return {
    title: `progress ${percent} by ${picked.map(({ title }) => title).join(', ')}`,
    async perform() {
      const states = await leases.progress(
        picked.map(({ lease }) => ({ ...lease, percent, message })),
      );
      return {
        answer: picked.map(({ lease }) => states.get(lease.leaseId) ?? 'lost').join(', '),
        step: (world) => {
          for (const { title, lease } of picked) {
            const job = heldBy(world, lease);
            const answer = states.get(lease.leaseId);
            expectThat(
              answer === job?.status,
              `progress by ${title} answered ${answer} for a job that is ${describe(job)}`,
            );
            if (job !== null) {
              job.progress = Math.max(job.progress, percent);
              job.message = message ?? job.message;
            }
          }
        },
      };
    },
  };
}

export function succeed(
  stage: Stage,
  leases: LeaseStore,
  choices: readonly LeaseChoice[],
): Action | null {
  const picked = pickAll(stage, choices);
  if (picked === null) {
    return null;
  }
  const mark = stage.mark();
  return {
    title: `succeed by ${picked.map(({ title }) => title).join(', ')}`,
    async perform() {
      const answers = await Promise.all(
        picked.map(({ title, lease }) =>
          leases.succeed({ ...lease, results: JSON.stringify({ title, mark }), message: mark }),
        ),
      );
      return explain(picked, answers, (job, { title }) => {
        if (job.status === 'canceling') {
          return endAsCanceled(job);
        }
        end(job, 'succeeded', null);
        Object.assign(job, {
          progress: 100,
          message: mark,
          results: JSON.stringify({ title, mark }),
        });
      });
    },
  };
}

export function release(
  stage: Stage,
  leases: LeaseStore,
  choices: readonly LeaseChoice[],
): Action | null {
  const picked = pickAll(stage, choices);
  if (picked === null) {
    return null;
  }
  return {
    title: `release by ${picked.map(({ title }) => title).join(', ')}`,
    async perform() {
      const answers = await Promise.all(picked.map(({ lease }) => leases.release(lease)));
      return explain(picked, answers, (job) => {
        if (job.status === 'canceling') {
          return endAsCanceled(job);
        }
        giveBack(job, 'released', null);
      });
    },
  };
}

export function fail(
  stage: Stage,
  leases: LeaseStore,
  choice: LeaseChoice,
  retryable: boolean,
): Action | null {
  const picked = pick(stage, choice);
  if (picked === null) {
    return null;
  }
  const problem = { ...PROBLEM, detail: stage.mark() };
  const text = JSON.stringify(problem);
  return {
    title: `fail${retryable ? '' : ' for good'} by ${picked.title}`,
    async perform() {
      const backoff = { firstSeconds: ENDLESS_SECONDS, longestSeconds: ENDLESS_SECONDS };
      const answer = await leases.fail({
        ...picked.lease,
        problem,
        retryable,
        backoff,
      });
      return explain([picked], [answer], (job) => {
        if (job.status === 'canceling') {
          return endAsCanceled(job);
        }
        job.failures += 1;
        if (!retryable || job.failures >= job.maxAttempts) {
          return end(job, 'failed', text);
        }
        giveBack(job, 'failed', text);
        job.runAfter = 'later';
      });
    },
  };
}

export function postpone(
  stage: Stage,
  leases: LeaseStore,
  choice: LeaseChoice,
  afterSeconds: number,
): Action | null {
  const picked = pick(stage, choice);
  if (picked === null) {
    return null;
  }
  return {
    title: `postpone by ${afterSeconds} s by ${picked.title}`,
    async perform() {
      const answer = await leases.postpone({ ...picked.lease, afterSeconds });
      return explain([picked], [answer], (job) => {
        if (job.status === 'canceling') {
          return endAsCanceled(job);
        }
        giveBack(job, 'retry later', null);
        job.runAfter = afterSeconds === 0 ? 'due' : 'later';
      });
    },
  };
}

export function endCanceled(stage: Stage, leases: LeaseStore, choice: LeaseChoice): Action | null {
  const picked = pick(stage, choice);
  if (picked === null) {
    return null;
  }
  return {
    title: `endCanceled by ${picked.title}`,
    async perform() {
      const answer = await leases.endCanceled(picked.lease);
      return {
        answer: String(answer),
        step: (world) => {
          const job = heldBy(world, picked.lease);
          const ends = job?.status === 'canceling' ? job : null;
          expectThat(
            answer === (ends === null ? null : 'canceled'),
            `endCanceled answered ${answer} for a job that is ${describe(job)}`,
          );
          if (ends !== null) {
            endAsCanceled(ends);
          }
        },
      };
    },
  };
}

interface Picked {
  readonly title: string;
  readonly lease: Lease;
}

function pick(stage: Stage, { nth, as }: LeaseChoice): Picked | null {
  const outlived = stage.given.filter(({ jobId }, index) =>
    stage.given.slice(index + 1).some((later) => later.jobId === jobId),
  );
  const leases = as === 'outlived' && outlived.length > 0 ? outlived : stage.given;
  const given = leases.at(-1 - (nth % leases.length));
  if (given === undefined) {
    return null;
  }
  const { name, jobId, leaseId } = given;
  switch (as) {
    case 'given':
    case 'outlived':
      return { title: name, lease: { jobId, leaseId } };
    case 'none':
      // As a caller without types could: SQL must not take null for equal to null.
      return {
        title: `no lease on ${stage.name(jobId)}`,
        lease: { jobId, leaseId: null as unknown as string },
      };
    case 'forged':
      return {
        title: `a forged lease on ${stage.name(jobId)}`,
        lease: { jobId, leaseId: randomUUID() },
      };
    case 'crossed': {
      const other = stage.keys.find(({ key }) => key.jobId !== jobId)?.key.jobId ?? randomUUID();
      return { title: `${name} on ${stage.name(other)}`, lease: { jobId: other, leaseId } };
    }
    default:
      return as satisfies never;
  }
}

/** Each lease once. */
function pickAll(stage: Stage, choices: readonly LeaseChoice[]): readonly Picked[] | null {
  const picked = choices
    .map((choice) => pick(stage, choice))
    .filter((found): found is Picked => found !== null);
  const once = picked.filter(
    ({ lease }, index) =>
      picked.findIndex((other) => other.lease.leaseId === lease.leaseId) === index,
  );
  return once.length === 0 ? null : once;
}

/** The job whose current lease it is. */
function heldBy({ jobs }: World, { jobId, leaseId }: Lease): ModelJob | null {
  const job = jobs.get(jobId);
  return job !== undefined && job.lease !== null && job.lease === leaseId ? job : null;
}

/** For writes that are made whenever the lease is held, and change nothing otherwise. */
function explain(
  picked: readonly Picked[],
  answers: readonly (JobStatus | null)[],
  change: (job: ModelJob, picked: Picked) => void,
): Explanation {
  return {
    answer: answers.map((answer) => answer ?? 'lease lost').join(', '),
    step: (world) => {
      picked.forEach((one, index) => {
        const job = heldBy(world, one.lease);
        if (job !== null) {
          change(job, one);
        }
        const answer = answers[index] ?? null;
        expectThat(
          answer === (job?.status ?? null),
          `${one.title} was answered ${answer} for a job that should be ${describe(job)}`,
        );
      });
    },
  };
}
