import { MAX_CRASHES } from '../../../src/jobs/job/job-transitions.js';
import type { ClaimedJob } from '../../../src/jobs/lease/lease.store.js';
import { type Actor, type Stage, TASKS } from './model-actors.js';
import type { Choice } from './model-choices.js';
import { type Action, describe } from './model-step.js';
import { expectThat, isRunning, type ModelJob, roomFor, type World } from './model-world.js';

export function claim(stage: Stage, choice: Choice & { do: 'claim' }): Action {
  const actor = stage.actors[choice.actor] as Actor;
  const { workerId } = actor;
  const served = {
    both: TASKS,
    first: TASKS.slice(0, 1),
    second: TASKS.slice(1),
  }[choice.serves];
  const what = served.map(({ name }) => name).join(' or ');
  return {
    title: `${stage.name(workerId)} claims up to ${choice.limit} of task ${what}`,
    async perform() {
      const { jobs, turn, contended } = await stage.engine.claims.claim(
        workerId,
        served,
        choice.limit,
        actor.turn,
      );
      actor.turn = turn;
      // A claim that met a submit may come without: then they are read for themselves.
      const parameters = await Promise.all(
        jobs.map(async (job) => job.parameters ?? stage.engine.claims.parameters(job.jobId)),
      );
      const fresh = jobs.map(
        ({ leaseId }) => !stage.given.some((lease) => lease.leaseId === leaseId),
      );
      for (const { jobId, leaseId } of jobs) {
        stage.given.push({ name: stage.name(leaseId, 'L'), jobId, leaseId });
      }
      return {
        answer: `${jobs.map(({ jobId, leaseId }) => `${stage.name(jobId)} by ${stage.name(leaseId)}`).join(', ') || 'nothing'}${contended ? ', contended' : ''}`,
        step: (world, { alone }) => {
          expectThat(fresh.every(Boolean), 'a lease was given twice');
          expectThat(jobs.length <= choice.limit, 'more jobs than asked for');
          expectThat(!alone || !contended, 'contended, with nobody else claiming');
          const worker = world.workers.get(workerId);
          const mayClaim = worker?.registered === true && !worker.draining;
          expectThat(mayClaim || jobs.length === 0, `${worker?.name} must not claim any more`);
          expectThat(
            !alone || jobs.every((job) => job.parameters !== null),
            'small parameters did not come with the claim',
          );
          jobs.forEach((job, index) => {
            start(world, job, workerId, served);
            expectThat(
              parameters[index] === JSON.stringify({ job: stage.name(job.jobId) }),
              `${stage.name(job.jobId)} came with other parameters`,
            );
          });
          if (alone && mayClaim) {
            expectNothingBetter(world, jobs, choice.limit, served);
          }
        },
      };
    },
  };
}

type Served = readonly { readonly name: string }[];

const isClaimable = (job: ModelJob, served: Served): boolean =>
  job.status === 'requested' &&
  job.runAfter === null &&
  job.expires !== 'due' &&
  served.some(({ name }) => name === job.key.task);

function start(world: World, claimed: ClaimedJob, workerId: string, served: Served): void {
  const job = world.jobs.get(claimed.jobId);
  expectThat(job !== undefined, 'a job was claimed that was never submitted');
  expectThat(isClaimable(job, served), `${job.name} must not start: it is ${describe(job)}`);
  expectThat(roomFor(world, job) > 0, `${job.name} started over a cap`);
  expectThat(claimed.attempt === job.attempt + 1, `${job.name} skipped or repeated an attempt`);
  Object.assign(job, {
    status: 'in progress',
    attempt: claimed.attempt,
    lease: claimed.leaseId,
    worker: workerId,
    expires: null,
  });
}

/** Jobs that one more crash would fail go first, then the more urgent, then the older. */
function comesBefore(one: ModelJob, other: ModelJob): boolean {
  const lastChance = ({ crashes }: ModelJob): boolean => crashes + 1 >= MAX_CRASHES;
  if (lastChance(one) !== lastChance(other)) {
    return lastChance(one);
  }
  return one.priority === other.priority
    ? one.key.jobId < other.key.jobId
    : one.priority > other.priority;
}

/** A claim on its own takes all it can, and of each organization what comes first. */
function expectNothingBetter(
  world: World,
  claimed: readonly ClaimedJob[],
  limit: number,
  served: Served,
): void {
  const taken = claimed.map(({ jobId }) => world.jobs.get(jobId) as ModelJob);
  for (const job of world.jobs.values()) {
    if (!isClaimable(job, served)) {
      continue;
    }
    expectThat(
      taken.length === limit || roomFor(world, job) <= 0,
      `${job.name} was left lying, with room for it`,
    );
    const ofTask = [...world.jobs.values()].filter(
      (other) => isRunning(other) && other.key.task === job.key.task,
    ).length;
    const taskIsFull = ofTask >= (world.limits.tasks.get(job.key.task) ?? Number.POSITIVE_INFINITY);
    const overtaken = taken.find(
      (other) => other.key.orgId === job.key.orgId && comesBefore(job, other),
    );
    expectThat(
      overtaken === undefined || taskIsFull,
      `${overtaken?.name} started before ${job.name}, whose turn it was`,
    );
  }
}
