import { Injectable } from '@nestjs/common';
import { LONG_SECONDS, Metrics } from '../../platform/metrics/metrics.js';
import type { Count, Spread } from '../../platform/metrics/series.js';
import { isFinal, type JobStatus } from '../job/job-status.js';
import type { JobKey } from '../job/job.js';
import { OrganizationMetrics } from './organization-metrics.js';

/** How an attempt came to its end, as the metrics call it. */
export const ATTEMPT_OUTCOMES = [
  'succeeded',
  'failed',
  'retried',
  'postponed',
  'canceled',
  'released',
  'lost',
  'lease_lost',
] as const;
export type AttemptOutcomeName = (typeof ATTEMPT_OUTCOMES)[number];

/** What is counted of one task; looked up once, since a job needs five of them. */
interface TaskSeries {
  readonly submitted: Count;
  readonly started: Count;
  readonly waited: Spread;
  readonly ran: Spread;
  readonly attempts: Readonly<Record<AttemptOutcomeName, Count>>;
  readonly ended: Readonly<Record<'succeeded' | 'failed' | 'canceled', Count>>;
}

type TaskOf = Pick<JobKey, 'topic' | 'task' | 'orgId'>;

/** Tasks beyond this many are counted together, as `other`. */
const MAX_TASKS = 300;
/** From hearing of a cancel to its end: graces of runners are a second or less, of commands up to a minute. */
const CANCEL_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

/** What happens to jobs, counted where it is logged: each transition once, by the process that made it. */
@Injectable()
export class JobMetrics {
  private readonly tasks = new Map<string, Map<string, TaskSeries>>();
  private tasksKnown = 0;
  private readonly submitted;
  private readonly started;
  private readonly attempts;
  private readonly ended;
  private readonly waits;
  private readonly runs;
  private readonly cancels;
  private readonly cancelSeconds;

  constructor(
    private readonly metrics: Metrics,
    private readonly organizations: OrganizationMetrics,
  ) {
    const labels = ['topic', 'task'];
    this.submitted = metrics.counter({
      name: 'headframe_jobs_submitted_total',
      help: 'Jobs that were accepted, by this process.',
      labels,
    });
    this.started = metrics.counter({
      name: 'headframe_attempts_started_total',
      help: 'Attempts at jobs that this process began to hold (claimed, or started as they were submitted).',
      labels,
    });
    this.attempts = metrics.counter({
      name: 'headframe_attempts_ended_total',
      help: 'Attempts that ended. retried: failed, and the job waits for another; postponed: the task asked to run later; released: handed back unfinished; lost: the worker was lost; lease_lost: the outcome came too late, and nothing was written.',
      labels: [...labels, 'outcome'],
    });
    this.ended = metrics.counter({
      name: 'headframe_jobs_ended_total',
      help: 'Jobs that ended, by outcome (succeeded, failed, canceled).',
      labels: [...labels, 'outcome'],
    });
    this.waits = metrics.histogram(
      {
        name: 'headframe_job_wait_seconds',
        help: "From a job's submission to the start of its first attempt.",
        labels,
      },
      LONG_SECONDS,
    );
    this.runs = metrics.histogram(
      {
        name: 'headframe_attempt_duration_seconds',
        help: 'How long attempts ran, however they ended.',
        labels,
      },
      LONG_SECONDS,
    );
    this.cancels = metrics.counter({
      name: 'headframe_cancels_total',
      help: 'Jobs that were canceled by request. waiting: ended at once; running: the worker was told.',
      labels: ['state'],
    });
    this.cancelSeconds = metrics.histogram(
      {
        name: 'headframe_cancel_duration_seconds',
        help: 'From the moment that the worker hears of a cancel to the end of the job.',
      },
      CANCEL_SECONDS,
    );
  }

  /** Begins to count a task, at 0: an increase from nothing to 1 is none for Prometheus. */
  know(topic: string, task: string): void {
    if (this.metrics.on) {
      this.of({ topic, task });
    }
  }

  noteSubmit(job: TaskOf): void {
    if (this.metrics.on) {
      this.of(job).submitted.add();
      this.organizations.noteSubmit(job.orgId);
    }
  }

  /** @param waitedMs since it was submitted */
  noteStart(job: TaskOf & { readonly attempt: number; readonly waitedMs: number }): void {
    if (this.metrics.on) {
      const series = this.of(job);
      series.started.add();
      if (job.attempt === 1) {
        series.waited.observe(job.waitedMs / 1_000);
      }
    }
  }

  /**
   * @param to the job's status after it; null: the lease had passed on
   * @param ms how long it ran; null: nobody knows
   */
  noteAttempt(
    job: TaskOf,
    outcome: AttemptOutcomeName,
    to: JobStatus | null,
    ms: number | null,
  ): void {
    if (this.metrics.on) {
      const series = this.of(job);
      series.attempts[outcome].add();
      if (ms !== null) {
        series.ran.observe(ms / 1_000);
      }
      if (to !== null) {
        this.noteEnd(job, to);
      }
    }
  }

  /** The job has come into this state; one that is not final is not counted. */
  noteEnd(job: TaskOf, status: JobStatus): void {
    if (this.metrics.on && isFinal(status)) {
      const outcome = status as keyof TaskSeries['ended'];
      this.of(job).ended[outcome].add();
      this.organizations.noteEnd(job.orgId, outcome);
    }
  }

  /** A client canceled a job, and it came into this state. */
  noteCancel(job: TaskOf, status: JobStatus): void {
    if (this.metrics.on) {
      this.cancels.of(status === 'canceled' ? 'waiting' : 'running').add();
      this.noteEnd(job, status);
    }
  }

  /** A running job that was canceled has ended. @param ms since the worker heard of it */
  noteCanceled(ms: number): void {
    if (this.metrics.on) {
      this.cancelSeconds.of().observe(ms / 1_000);
    }
  }

  private of({ topic, task }: Pick<TaskOf, 'topic' | 'task'>): TaskSeries {
    return this.tasks.get(topic)?.get(task) ?? this.make(topic, task);
  }

  private make(topic: string, task: string): TaskSeries {
    if (this.tasksKnown >= MAX_TASKS && topic !== 'other') {
      return this.of({ topic: 'other', task: 'other' });
    }
    const by = <Name extends string>(counter: typeof this.attempts, names: readonly Name[]) =>
      Object.fromEntries(names.map((name) => [name, counter.of(topic, task, name)])) as Record<
        Name,
        Count
      >;
    const series = {
      submitted: this.submitted.of(topic, task),
      started: this.started.of(topic, task),
      waited: this.waits.of(topic, task),
      ran: this.runs.of(topic, task),
      attempts: by(this.attempts, ATTEMPT_OUTCOMES),
      ended: by(this.ended, ['succeeded', 'failed', 'canceled']),
    };
    const ofTopic = this.tasks.get(topic) ?? new Map<string, TaskSeries>();
    this.tasks.set(topic, ofTopic.set(task, series));
    this.tasksKnown += 1;
    return series;
  }
}
