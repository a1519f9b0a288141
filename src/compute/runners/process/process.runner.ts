import type { AttemptOutcome } from '../../../jobs/lease/attempt-outcome.js';
import { Injectable, Optional } from '@nestjs/common';
import { jobProblem } from '../../../jobs/job/job-problems.js';
import type { Attempt, Runner } from '../attempt.js';
import { AttemptLogWriter } from './output/attempt-log-writer.js';
import type { ProcessTask } from '../../task.js';
import { MAX_RESULTS_CHARACTERS } from '../task-results.js';
import type { ProcessLimits } from './process-output.js';
import { ProcessRun } from './process-run.js';
import { WorkFolders } from './work-folders.js';

const LIMITS: ProcessLimits = {
  longestLine: MAX_RESULTS_CHARACTERS,
  mostOutput: 4 * 1024 ** 3,
};

/**
 * Runs the commands of manifests, each as a process group of its own in a folder of its own. Nothing of
 * a command is still running when its outcome is returned.
 */
@Injectable()
export class ProcessRunner implements Runner {
  private readonly limits: ProcessLimits;

  /** @param limits lower ones, for tests */
  constructor(
    private readonly logs: AttemptLogWriter,
    private readonly folders: WorkFolders,
    @Optional() limits?: Partial<ProcessLimits>,
  ) {
    this.limits = { ...LIMITS, ...limits };
  }

  async run(attempt: Attempt): Promise<AttemptOutcome> {
    const task = attempt.entry.task as ProcessTask;
    const parameters: unknown = JSON.parse(attempt.parameters);
    const fault = task.parameters.fillAndFaultOf(parameters, 'parameters');
    if (fault !== null) {
      // They were checked when the job was submitted: the manifest has changed since.
      const problem = jobProblem(
        'invalid-parameters',
        `The task, in version ${task.version}, does not accept the parameters of this job: submit it again.`,
      );
      return {
        kind: 'failed',
        retryable: false,
        problem: { ...problem, 'invalid-params': [fault] },
      };
    }
    const folder = await this.folders.make();
    const log = this.logs.begin(attempt);
    try {
      const run = new ProcessRun(attempt, log, folder, this.limits);
      return await run.execute(JSON.stringify(parameters));
    } finally {
      await this.folders.remove(folder);
      await this.logs.close(attempt, attempt.signal.reason !== 'lease lost');
    }
  }
}
