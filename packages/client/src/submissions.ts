import type { RerunOptions, SubmitOptions } from './call-options.js';
import { batchPath, type Job, jobIdIn, jobPath, taskPath } from './job.js';
import type { Signals } from './http/retry.js';
import type { ParametersOf, TaskName } from './task-types.js';
import { listOf, type Reply, type Transport } from './http/transport.js';

/**
 * Creates jobs. Each call has an idempotency key, of its caller or made for it, so that its requests can be
 * repeated.
 */
export class Submissions {
  constructor(
    private readonly transport: Transport,
    private readonly org: string,
  ) {}

  /** @param givenUp fires before the signal of the options: from then on only a lost answer is asked for */
  async one<T extends TaskName>(
    task: T,
    parameters: ParametersOf<T>,
    { options, signal, ...submit }: SubmitOptions,
    givenUp = signal,
  ): Promise<Job<T>> {
    const path = taskPath(this.org, task);
    const id = await this.create(path, { parameters, options }, submit, { signal, givenUp });
    return { task, id };
  }

  async batch<T extends TaskName>(
    task: T,
    parameters: readonly ParametersOf<T>[],
    { options, signal, ...submit }: SubmitOptions,
  ): Promise<Job<T>[]> {
    const path = batchPath(this.org, task);
    const body = JSON.stringify({ parameters, options });
    const reply = await this.transport.post(path, body, { signal, headers: this.headers(submit) });
    const { results } = listOf<{ results: { id: string }[] }>(reply, 'results');
    return results.map(({ id }) => ({ task, id }));
  }

  async again<T extends TaskName>(
    job: Job<T>,
    { parameters, options, signal, ...submit }: RerunOptions<T>,
  ): Promise<Job<T>> {
    const path = jobPath(this.org, job, 'rerun');
    const id = await this.create(path, { parameters, options }, submit, { signal });
    return { task: job.task, id };
  }

  /** @returns the id of the job */
  private async create(
    path: string,
    content: object,
    submit: SubmitOptions,
    signals: Signals,
  ): Promise<string> {
    const headers = { 'content-type': 'application/json', ...this.headers(submit) };
    const body = JSON.stringify(content);
    const reply = await this.transport.send(
      { method: 'POST', path, headers, body, ...signals },
      (each) => createdBy(each) !== null,
    );
    return createdBy(reply) as string;
  }

  private headers({ idempotencyKey, preview = false }: SubmitOptions): Record<string, string> {
    const key = idempotencyKey ?? (this.transport.isPatient ? randomKey() : null);
    return {
      ...(key !== null && { 'idempotency-key': key }),
      ...(preview && { 'api-preview': 'opt-in' }),
    };
  }
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
