import { JOB_EXPIRED, WORKER_LOST } from '../../../src/jobs/job/job-problems.js';
import { MAX_CRASHES } from '../../../src/jobs/job/job-transitions.js';
import { type Actor, LEASE_SECONDS, type Stage } from './model-actors.js';
import { type Action, end, endAsCanceled, giveBack } from './model-step.js';
import { expectThat, isRunning, type ModelJob } from './model-world.js';

export function beat(stage: Stage, nth: number): Action {
  const { workerId } = stage.actors[nth] as Actor;
  return {
    title: `${stage.name(workerId)} beats`,
    async perform() {
      const { alive, canceling } = await stage.engine.workers.beat(workerId);
      return {
        answer: alive ? `alive, cancels ${canceling.map((id) => stage.name(id)).join()}` : 'lost',
        step: (world) => {
          const worker = world.workers.get(workerId);
          expectThat(worker?.registered === alive, `${worker?.name} was told alive: ${alive}`);
          if (alive) {
            worker.silent = false;
          }
          const wanted = [...world.jobs.values()]
            .filter((job) => job.status === 'canceling' && job.worker === workerId)
            .map(({ lease }) => lease as string);
          expectThat(
            wanted.length === canceling.length && wanted.every((id) => canceling.includes(id)),
            `${worker?.name} was told of other cancels than there are`,
          );
        },
      };
    },
  };
}

export function drain(stage: Stage, nth: number): Action {
  const { workerId } = stage.actors[nth] as Actor;
  return {
    title: `${stage.name(workerId)} drains`,
    async perform() {
      await stage.engine.workers.drain(workerId);
      return {
        answer: 'done',
        step: ({ workers }) => {
          const worker = workers.get(workerId);
          if (worker?.registered === true) {
            worker.draining = true;
          }
        },
      };
    },
  };
}

export function tend(stage: Stage): Action {
  return {
    title: 'tend',
    async perform() {
      const tended = await stage.engine.tending.tend(LEASE_SECONDS);
      return {
        answer:
          tended
            .map(({ transition, jobId, status }) => `${transition} ${stage.name(jobId)}: ${status}`)
            .join(', ') || 'nothing',
        step: (world, { alone, seen }) => {
          const told = (transition: string) =>
            tended.filter((job) => job.transition === transition).map(({ jobId }) => jobId);
          const [reaped, expired, admitted] = [told('reap'), told('expire'), told('due')];
          const { jobs, workers } = world;
          const rows = new Set(seen.workers.map(({ id }) => id));
          const jobsOf = (workerId: string) =>
            [...jobs.values()].filter((job) => isRunning(job) && job.worker === workerId);
          for (const worker of workers.values()) {
            const held = jobsOf(worker.id).map(({ key }) => key.jobId);
            const isTold = held.some((id) => reaped.includes(id));
            // What others hold at this moment is passed over, and taken the next time.
            const isLost =
              worker.registered &&
              worker.silent &&
              (alone || isTold || (held.length === 0 && !rows.has(worker.id)));
            expectThat(isLost || !isTold, `${worker.name} was taken for lost without being silent`);
            if (isLost) {
              worker.registered = false;
              jobsOf(worker.id).forEach((job) => reap(job, reaped));
            }
          }
          expectThat(reaped.length === 0, `reaped what no lost worker held`);
          const due = (what: 'runAfter' | 'expires') =>
            [...jobs.values()].filter((job) => job[what] === 'due');
          for (const job of due('expires')) {
            if (takeFrom(expired, job.key.jobId) || alone) {
              end(job, 'failed', JSON.stringify(JOB_EXPIRED));
            }
          }
          for (const job of due('runAfter')) {
            if (takeFrom(admitted, job.key.jobId) || alone) {
              job.runAfter = null;
            }
          }
          expectThat(expired.length + admitted.length === 0, 'tended what was not due');
        },
      };
    },
  };
}

/** @param told what the answer says; the job is taken out of it */
function reap(job: ModelJob, told: string[]): void {
  expectThat(takeFrom(told, job.key.jobId), `${job.name} of a lost worker was not reaped`);
  job.crashes += 1;
  if (job.status === 'canceling') {
    endAsCanceled(job);
  } else if (job.crashes >= MAX_CRASHES) {
    end(job, 'failed', JSON.stringify(WORKER_LOST));
  } else {
    giveBack(job, 'lost', null);
  }
}

function takeFrom(list: string[], item: string): boolean {
  const place = list.indexOf(item);
  if (place >= 0) {
    list.splice(place, 1);
  }
  return place >= 0;
}
