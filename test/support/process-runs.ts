import type { AttemptOutcome } from '../../src/jobs/lease/attempt-outcome.js';
import { expect } from 'vitest';
import type { Attempt } from '../../src/compute/runners/attempt.js';
import { AttemptLogWriter } from '../../src/compute/runners/process/output/attempt-log-writer.js';
import { ProcessRunner } from '../../src/compute/runners/process/process.runner.js';
import { WorkFolders } from '../../src/compute/runners/process/work-folders.js';
import { JobLogsStore } from '../../src/jobs/logs/logs.store.js';
import { Engine } from './jobs.js';
import { type ManifestPart, shellTask } from './process-tasks.js';

/** Runs shell scripts as attempts of jobs that are really leased. */
export class ProcessRuns {
  static async open(): Promise<ProcessRuns> {
    return new ProcessRuns(await Engine.open());
  }

  private readonly folders = new WorkFolders();
  private readonly logs: JobLogsStore;
  private readonly runner: ProcessRunner;

  private constructor(private readonly engine: Engine) {
    this.logs = new JobLogsStore(engine.database);
    this.runner = new ProcessRunner(new AttemptLogWriter(this.logs), this.folders);
  }

  /** @returns what the attempt came to, and what is in the database of its log */
  async run(
    script: string,
    part: ManifestPart = {},
    more: Partial<Attempt> = {},
  ): Promise<{ readonly outcome: AttemptOutcome; readonly log: string }> {
    const { key, leaseId } = await this.engine.jobIn('in progress');
    const outcome = await this.runner.run({
      jobId: key.jobId,
      orgId: key.orgId,
      leaseId,
      number: 1,
      entry: { task: shellTask(script, part), moduleUrl: '' },
      threads: null,
      parameters: '{}',
      signal: new AbortController().signal,
      onStop: () => undefined,
      onProgress: () => undefined,
      ...more,
    });
    const pieces = await this.logs.read(key, { attempt: 0, number: 0 }, 200);
    return { outcome, log: pieces.map(({ text }) => text).join('') };
  }

  async close(): Promise<void> {
    await this.folders.onApplicationShutdown();
    await this.engine.close();
  }
}

/** A failed outcome of a problem, to be compared with. */
export const failure = (slug: string, detail: RegExp = /\S/): unknown =>
  expect.objectContaining({
    kind: 'failed',
    problem: expect.objectContaining({
      type: `urn:headframe:problem/${slug}`,
      detail: expect.stringMatching(detail),
    }),
  });
