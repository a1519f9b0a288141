import type { FastifyRequest } from 'fastify';
import { isFinal } from '../job/job-status.js';
import type { JobSnapshot } from '../read/watch/job-snapshot.store.js';
import { presentJobEvent } from './event.presenter.js';
import type { EventStream } from './stream/event-stream.js';
import { compareStates, stateId, statesBetween, type ToldState, toldState } from './told-state.js';

/** One client that follows one job: tells it each state once, in order, and ends with the final one. */
export class JobFollower {
  /** @param told the state that the client has seen last; null: none */
  constructor(
    private readonly stream: EventStream,
    private readonly url: string,
    private readonly request: Pick<FastifyRequest, 'headers'>,
    private told: ToldState | null,
  ) {}

  /** @param job as it was read; null: it is not there any more */
  tell(job: JobSnapshot | null): void {
    if (job === null) {
      this.stream.finish();
      return;
    }
    const { told } = this;
    const now = toldState(job);
    const step = told === null ? 1 : compareStates(now, told);
    if (step !== 0 || now.print !== told?.print) {
      const passed = told !== null && step > 0 ? statesBetween(told, job) : [];
      const isProgress = now.attempt === told?.attempt && now.rank === told.rank;
      passed.forEach((state) => this.send(state, false));
      this.send(job, isProgress);
      this.told = now;
    }
    if (isFinal(job.status)) {
      this.stream.event('end', null, '{}');
      this.stream.finish();
    }
  }

  private send(job: JobSnapshot, isProgress: boolean): void {
    const data = JSON.stringify(presentJobEvent(job, this.url, this.request));
    this.stream.event('status', stateId(job), data, { jobId: job.jobId, isProgress });
  }
}
