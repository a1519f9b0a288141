import { outliving, sleep, within } from './abort.js';
import {
  JobCanceledError,
  JobFailedError,
  JobOngoingError,
  UnexpectedAnswerError,
} from './errors.js';
import { catalogPath, type Job, jobIdIn, jobPath, taskPath } from './job.js';
import { type ClientSettings, transportSettings } from './settings.js';
import { type Look, PollingFeed, type StatusFeed } from './status-feed.js';
import type { ParametersOf, ResultsOf, TaskName } from './task-types.js';
import { jsonOf, type Reply, retryAfterOf, Transport } from './transport.js';
import type {
  ExecuteOptions,
  JobDetail,
  JobStatus,
  LogPage,
  LogPiece,
  Problem,
  Task,
  TaskPage,
} from './wire-types.js';

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, which then throws the reason of the signal; the job goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface SubmitOptions extends CallOptions {
  /** 1–255 visible ASCII characters: for 24 hours the same key with the same body is the same job. */
  readonly idempotencyKey?: string | undefined;
  /** Priority, times, attempts, labels. */
  readonly options?: ExecuteOptions | undefined;
  /** Needed for tasks that are previews. */
  readonly preview?: boolean | undefined;
}

export interface WaitOptions extends CallOptions {
  /** Called with the state at once, and with each change. */
  readonly onProgress?: ((status: JobStatus) => void) | undefined;
}

export interface RunOptions extends SubmitOptions, WaitOptions {
  /** Cancels the job, too; the call then throws the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
  /** Called as soon as there is a job: keep it to find the job again. */
  readonly onSubmitted?: ((job: Job) => void) | undefined;
}

export interface LogOptions extends CallOptions {
  /** Whether to go on until the job has ended; else what there is at this moment. */
  readonly follow?: boolean | undefined;
}

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
  private readonly url: string;
  private readonly org: string;

  /** @throws TypeError when a setting is malformed */
  constructor(settings: ClientSettings) {
    const checked = transportSettings(settings);
    this.url = checked.url;
    this.org = settings.org;
    this.transport = new Transport(checked);
    this.feed = new PollingFeed((job, signal) => this.look(job, signal));
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
      this.execute(task, parameters, { ...submit, signal: late }, signal),
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
    return this.execute(task, parameters, options, options.signal);
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
    const reply = await this.get(jobPath(this.org, job, 'results'), signal, [200, 202]);
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
    return jsonOf(await this.get(jobPath(this.org, job, 'detail'), signal));
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
        const page = jsonOf<LogPage>(await this.get(path + query, signal));
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
      const page = jsonOf<TaskPage>(await this.get(`${catalogPath(this.org)}?${query}`, signal));
      tasks.push(...page.results);
      if (page.count === 0 || tasks.length >= page.total) return tasks;
    }
  }

  /** The address of a job, which has its results; that of its status is `/status` longer. */
  addressOf(job: Job): string {
    return this.url + jobPath(this.org, job, 'results');
  }

  private async execute<T extends TaskName>(
    task: T,
    parameters: ParametersOf<T>,
    { idempotencyKey, options, preview = false, signal }: SubmitOptions,
    givenUp: AbortSignal | undefined,
  ): Promise<Job<T>> {
    const key = idempotencyKey ?? (this.transport.isPatient ? randomKey() : null);
    const headers = {
      'content-type': 'application/json',
      ...(key !== null && { 'idempotency-key': key }),
      ...(preview && { 'api-preview': 'opt-in' }),
    };
    const body = JSON.stringify({ parameters, options });
    const path = taskPath(this.org, task);
    const reply = await this.transport.send(
      { method: 'POST', path, headers, body, signal, givenUp },
      (each) => createdBy(each) !== null,
    );
    return { task, id: createdBy(reply) as string };
  }

  private async look(job: Job, signal: AbortSignal | undefined): Promise<Look> {
    const reply = await this.get(jobPath(this.org, job, 'status'), signal, [200, 202]);
    return {
      status: stateIn(reply),
      hasEnded: reply.status === 200,
      retryAfterSeconds: retryAfterOf(reply.headers),
    };
  }

  private get(path: string, signal: AbortSignal | undefined, expected = [200]): Promise<Reply> {
    return this.transport.send({ method: 'GET', path, signal }, ({ status }) =>
      expected.includes(status),
    );
  }
}

/** The JSON of an answer that tells the state of a job. */
function stateIn<Body extends { status: string }>(reply: Reply): Body {
  const body = jsonOf<Body>(reply);
  if (typeof body.status === 'string') return body;
  throw new UnexpectedAnswerError('An answer that should tell the state of a job does not.');
}

/** The id of the job that an answer to a submit tells of; null when it tells of none. */
function createdBy({ status, headers, redirectedTo }: Reply): string | null {
  const location = status === 303 ? headers.get('location') : redirectedTo;
  return location === null ? null : jobIdIn(location);
}

/** 128 bits; `crypto.randomUUID` is not there on pages that came without TLS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
