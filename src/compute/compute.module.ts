import { type DynamicModule, Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import type { Config } from '../platform/config.js';
import { AttemptLogWriter } from './runners/process/output/attempt-log-writer.js';
import { BatchController } from './execute/batch/batch.controller.js';
import { RerunBodies } from './execute/rerun/rerun-body.js';
import { RerunController } from './execute/rerun/rerun.controller.js';
import { BodyJudge } from './execute/body-judge.js';
import { CatalogueController } from './catalogue/catalogue.controller.js';
import { Dispatcher } from './worker/dispatcher.js';
import { ExecuteController } from './execute/execute.controller.js';
import { ProgressReporter } from './worker/progress-reporter.js';
import { RunConcluder } from './worker/run-concluder.js';
import { InlineRunner } from './runners/inline/inline.runner.js';
import { ProcessRunner } from './runners/process/process.runner.js';
import { ThreadRunner } from './runners/thread/thread.runner.js';
import { WorkFolders } from './runners/process/work-folders.js';
import { Slots } from './worker/slots.js';
import { WorkerMetrics } from './worker/worker-metrics.js';
import { AttemptTraces } from './runners/trace/attempt-traces.js';
import { TASK_CATALOGUE, type TaskCatalogue } from './catalogue/task-catalogue.js';

/** Tasks: which there are, how a client executes one, and how they run. */
@Module({})
export class ComputeModule {
  static forRole(role: Config['ROLE'], catalogue: TaskCatalogue): DynamicModule {
    return {
      module: ComputeModule,
      imports: [JobsModule.forRole(role)],
      controllers:
        role === 'worker'
          ? []
          : [ExecuteController, BatchController, RerunController, CatalogueController],
      providers: [
        { provide: TASK_CATALOGUE, useValue: catalogue },
        ...(role === 'worker' ? [] : [BodyJudge, RerunBodies]),
        ...(role === 'api'
          ? []
          : [
              Dispatcher,
              Slots,
              ProgressReporter,
              RunConcluder,
              WorkerMetrics,
              AttemptTraces,
              AttemptLogWriter,
              WorkFolders,
              InlineRunner,
              ThreadRunner,
              ProcessRunner,
            ]),
      ],
      exports: [TASK_CATALOGUE],
    };
  }
}
