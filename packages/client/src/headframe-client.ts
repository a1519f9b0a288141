import { outliving, sleep, within } from './http/abort.js';
import type {
  BulkOptions,
  CallOptions,
  LogOptions,
  PageOptions,
  RerunOptions,
  RunOptions,
  SubmitOptions,
  WaitOptions,
} from './call-options.js';
import { changesIn } from './follow/changes.js';
import {
  JobCanceledError,
  JobFailedError,
  JobOngoingError,
  UnexpectedAnswerError,
} from './errors.js';
import { EventFeed } from './follow/event-feed.js';
import { type Job, jobPath, organizationPath } from './job.js';
import { cursorIn, filterQuery, JobList } from './job-list.js';
import type {
  BulkOutcome,
  Change,
  JobFilter,
  JobPage,
  JobSelection,
  JobSummary,
  ListedJob,
  StreamFilter,
} from './list-types.js';
import { JobStreams } from './follow/job-streams.js';
import { type ClientSettings, transportSettings } from './settings.js';
import { type Look, PollingFeed, type StatusFeed } from './follow/status-feed.js';
import { Submissions } from './submissions.js';
import type { ParametersOf, ResultsOf, TaskName } from './task-types.js';
import { jsonOf, listOf, type Reply, retryAfterOf, Transport } from './http/transport.js';
import type {
  AuditEntry,
  AuditFilter,
  AuditPage,
  JobDetail,
  JobStatus,
  Limits,
  LogPage,
  LogPiece,
  Problem,
  Task,
  TaskPage,
} from './wire-types.js';

/** How long a job that was given up may take to be canceled, before nobody waits for it any more. */
const CANCEL_WITHIN_MS = 5_000;

/**
 * The jobs of one organization. Every call is repeated, within the patience of the settings, while the
 * service is out of reach (no answer, 502, 504) or asks to come back (429, 503); what it refuses is a
 * `RequestError`, and what cannot be reached a `ConnectionError`.
 */
export class HeadframeClient {
  private readonly transport: Transport;
  private readonly feed: StatusFeed;
  private readonly submissions: Submissions;
  private readonly jobs: JobList;
  private readonly streams: JobStreams;
  private readonly url: string;
  private readonly org: string;

  /** @throws TypeError when a setting is malformed */
  constructor(settings: ClientSettings) {
    const checked = transportSettings(settings);
    this.url = checked.url;
    this.org = settings.org;
    this.transport = new Transport(checked);
    this.submissions = new Submissions(this.transport, settings.org);
    this.jobs = new JobList(this.transport, settings.org);
    this.streams = new JobStreams(this.transport, settings.org);
    const look = (job: Job, signal?: AbortSignal) => this.look(job, signal);
    this.feed =
      settings.events === false ? new PollingFeed(look) : new EventFeed(look, this.streams);
  }

  /**
   * Runs a task from beginning to end. When the signal fires, the job is canceled.
   * @returns its results
   * @throws JobFailedError, JobCanceledError, and what the other calls throw
   */
  async run<T extends TaskName>(
    task: T,
    parameters: ParametersOf<T>,
    { signal, onProgress, onSubmitted, ...submit }: RunOptions = {},
  ): Promise<ResultsOf<T>> {
    // A submit under way may have made a job already: its answer is awaited, to cancel that one.
    const job = await outliving(CANCEL_WITHIN_MS, signal, (late) =>
      this.submissions.one(task, parameters, { ...submit, signal: late }, signal),
    );
    try {
      onSubmitted?.(job);
      signal?.throwIfAborted();
      await this.wait(job, { signal, onProgress });
      return await this.results(job, { signal });
    } catch (error) {
      if (signal?.aborted) {
        await within(CANCEL_WITHIN_MS, undefined, (late) =>
          this.cancel(job, { signal: late }),
        ).catch(() => undefined);
      }
      throw error;
    }
  }

  /**
   * Creates a job. It is safe to repeat: without an idempotency key of yours it gets one for the time
   * of this call.
   */
  submit<T extends TaskName>(
    task: T,
    parameters: ParametersOf<T>,
    options: SubmitOptions = {},
  ): Promise<Job<T>> {
    return this.submissions.one(task, parameters, options);
  }

  /**
   * Creates many jobs of one task: all of them, or none. It is safe to repeat, as `submit` is.
   * @param parameters of each job, 1–1,000
   * @returns the jobs, in the order of their parameters
   */
  submitBatch<T extends TaskName>(
    task: T,
    parameters: readonly ParametersOf<T>[],
    options: SubmitOptions = {},
  ): Promise<Job<T>[]> {
    return this.submissions.batch(task, parameters, options);
  }

  /** How a job is doing at this moment. */
  async status(job: Job, { signal }: CallOptions = {}): Promise<JobStatus> {
    return (await this.look(job, signal)).status;
  }

  /**
   * The state of a job at once, then each change, until it has ended: the last one is its end. Leaving
   * the loop, or the signal, ends the following and not the job.
   */
  follow(job: Job, { signal }: CallOptions = {}): AsyncGenerator<JobStatus, void, undefined> {
    return this.feed.follow(job, signal);
  }

  /**
   * Waits until a job has ended, whichever way.
   * @returns its last status
   */
  async wait(job: Job, { signal, onProgress }: WaitOptions = {}): Promise<JobStatus> {
    let last: JobStatus | null = null;
    for await (const status of this.follow(job, { signal })) {
      onProgress?.(status);
      last = status;
    }
    if (last === null) throw new UnexpectedAnswerError('The service told no state of the job.');
    return last;
  }

  /**
   * What a job that has succeeded left.
   * @throws JobFailedError, JobCanceledError, or JobOngoingError when it has not ended
   */
  async results<T extends TaskName>(
    job: Job<T>,
    { signal }: CallOptions = {},
  ): Promise<ResultsOf<T>> {
    const reply = await this.transport.get(jobPath(this.org, job, 'results'), signal, [200, 202]);
    const { status, results, error } = stateIn<{
      status: string;
      results?: ResultsOf<T>;
      error?: Problem;
    }>(reply);
    if (results !== undefined) return results;
    if (error === undefined) throw new JobOngoingError(job, status);
    throw status === 'canceled' ? new JobCanceledError(job, error) : new JobFailedError(job, error);
  }

  /** Cancels a job. One that has ended stays as it is, without an error. */
  async cancel(job: Job, { signal }: CallOptions = {}): Promise<void> {
    const path = jobPath(this.org, job, 'results');
    await this.transport.send({ method: 'DELETE', path, signal }, ({ status }) => status === 204);
  }

  /** Everything that is kept of a job: its options, times, counters and attempts. */
  async detail(job: Job, { signal }: CallOptions = {}): Promise<JobDetail> {
    const reply = await this.transport.get(jobPath(this.org, job, 'detail'), signal);
    return jsonOf<JobDetail>(reply, 'labels', 'attempts');
  }

  /** What the command of a job wrote to standard error, oldest first. */
  async *logs(
    job: Job,
    { signal, follow = false }: LogOptions = {},
  ): AsyncGenerator<LogPiece, void, undefined> {
    const path = jobPath(this.org, job, 'logs');
    let query = '';
    for (;;) {
      // Before the page: a job that has ended writes nothing more.
      const look = follow ? await this.look(job, signal) : null;
      for (let more = true; more;) {
        const page = listOf<LogPage>(await this.transport.get(path + query, signal), 'logs');
        yield* page.logs;
        query = `?after=${encodeURIComponent(page.after)}`;
        more = page.more;
      }
      if (look === null || look.hasEnded) return;
      await sleep((look.retryAfterSeconds ?? 1) * 1000, signal);
    }
  }

  /** The tasks that the organization may run. @param details whether to add their JSON Schemas */
  async tasks({ signal, details = false }: CallOptions & { details?: boolean } = {}): Promise<
    Task[]
  > {
    const tasks: Task[] = [];
    for (;;) {
      const query = new URLSearchParams({ details: `${details}`, offset: `${tasks.length}` });
      const page = listOf<TaskPage>(
        await this.transport.get(`${organizationPath(this.org, 'tasks')}?${query}`, signal),
        'results',
      );
      tasks.push(...page.results);
      if (page.count === 0 || tasks.length >= page.total) return tasks;
    }
  }

  /** The jobs that a filter leaves, newest first, page after page; stable while jobs come and end. */
  list(
    filter: JobFilter = {},
    options: PageOptions = {},
  ): AsyncGenerator<ListedJob, void, undefined> {
    return this.jobs.pages(filter, options);
  }

  /** One page of that list. */
  listPage(filter: JobFilter = {}, options: PageOptions = {}): Promise<JobPage> {
    return this.jobs.page(filter, options);
  }

  /**
   * Changes of the jobs that a filter leaves, as they come, without end: first a `reset`, upon which to
   * list; then each change. Where there is no stream of events it is a `reset` every five seconds.
   * Without a filter it shares one stream with all who follow jobs by this client.
   * @throws RequestError when the service refuses the filter or the token
   */
  changes(
    filter: StreamFilter = {},
    { signal }: CallOptions = {},
  ): AsyncGenerator<Change, void, undefined> {
    return changesIn(this.streams.changesOf(filter), signal);
  }

  /** How many jobs a filter leaves, by state and by task. */
  summary(filter: JobFilter = {}, options: CallOptions = {}): Promise<JobSummary> {
    return this.jobs.summary(filter, options);
  }

  /** Cancels jobs, up to 10,000 at once; those that have ended stay as they are. */
  cancelJobs(selection: JobSelection, options: BulkOptions = {}): Promise<BulkOutcome> {
    return this.jobs.act('cancel', selection, options);
  }

  /** Deletes jobs that have ended, with all that is kept of them. Needs the scope of administrators. */
  purgeJobs(selection: JobSelection, options: BulkOptions = {}): Promise<BulkOutcome> {
    return this.jobs.act('purge', selection, options);
  }

  /**
   * Makes new jobs of those that have ended, with the same parameters and options, and the label
   * `rerun-of`. When the connection breaks it is not repeated, since that would make them twice.
   */
  rerunJobs(selection: JobSelection, options: BulkOptions = {}): Promise<BulkOutcome> {
    return this.jobs.act('rerun', selection, options);
  }

  /**
   * Makes a new job of one that has ended, with its parameters and options, and the label `rerun-of`.
   * It is safe to repeat, as `submit` is.
   * @param changes what is to be different, each as a whole
   */
  rerun<T extends TaskName>(job: Job<T>, changes: RerunOptions<T> = {}): Promise<Job<T>> {
    return this.submissions.again(job, changes);
  }

  /** What a job was given. */
  async parameters<T extends TaskName>(
    job: Job<T>,
    { signal }: CallOptions = {},
  ): Promise<ParametersOf<T>> {
    const reply = await this.transport.get(jobPath(this.org, job, 'parameters'), signal);
    return jsonOf<{ parameters: ParametersOf<T> }>(reply, 'parameters').parameters;
  }

  /** What the organization may use, and what it uses now. */
  async limits({ signal }: CallOptions = {}): Promise<Limits> {
    const reply = await this.transport.get(organizationPath(this.org, 'limits'), signal);
    return jsonOf<Limits>(reply, 'used');
  }

  /** Who did what, newest first. Needs the scope of administrators. */
  async *audit(
    filter: AuditFilter = {},
    { signal, limit, cursor }: PageOptions = {},
  ): AsyncGenerator<AuditEntry, void, undefined> {
    const path = organizationPath(this.org, 'audit');
    let at: string | null | undefined = cursor;
    do {
      const query = filterQuery({ ...filter, limit, cursor: at });
      const page = listOf<AuditPage>(
        await this.transport.get(`${path}?${query}`, signal),
        'results',
      );
      yield* page.results;
      at = cursorIn(page.next);
    } while (at !== null);
  }

  /** The address of a job, which has its results; that of its status is `/status` longer. */
  addressOf(job: Job): string {
    return this.url + jobPath(this.org, job, 'results');
  }

  private async look(job: Job, signal: AbortSignal | undefined): Promise<Look> {
    const reply = await this.transport.get(jobPath(this.org, job, 'status'), signal, [200, 202]);
    return {
      status: stateIn(reply),
      hasEnded: reply.status === 200,
      retryAfterSeconds: retryAfterOf(reply.headers),
    };
  }
}

/** The JSON of an answer that tells the state of a job. */
function stateIn<Body extends { status: string }>(reply: Reply): Body {
  const body = jsonOf<Body>(reply);
  if (typeof body.status === 'string') return body;
  throw new UnexpectedAnswerError('An answer that should tell the state of a job does not.');
}
