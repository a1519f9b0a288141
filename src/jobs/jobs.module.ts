import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from '../platform/config.js';
import { AuditController } from './audit.controller.js';
import { AuditStore } from './audit.store.js';
import { GrantedLimitsStore } from './granted-limits.store.js';
import { LimitsController } from './limits.controller.js';
import { ClaimStore } from './claim.store.js';
import { JobDetailController } from './job.detail.controller.js';
import { JobDetailStore } from './job.detail.store.js';
import { JobLogsController } from './job.logs.controller.js';
import { JobLogsStore } from './job.logs.store.js';
import { JobPurgeController } from './job.purge.controller.js';
import { JobSignals } from './job.signals.js';
import { JobStore } from './job.store.js';
import { ResultsReader } from './results.reader.js';
import { JobsController } from './jobs.controller.js';
import { KeyCleaner } from './key.cleaner.js';
import { LeaseStore } from './lease.store.js';
import { Reaper } from './reaper.js';
import { Retention } from './retention.js';
import { RetentionStore } from './retention.store.js';
import { Submit } from './submit.js';
import { SubmitQuota } from './submit.quota.js';
import { UsageMeter } from './usage.meter.js';
import { UsageRecount } from './usage.recount.js';
import { UsageStore } from './usage.store.js';
import { Worker } from './worker.js';
import { WorkerStore } from './worker.store.js';

/** The job: its states, its store, the routes that read and cancel it, and the care for lost and for old ones. */
@Module({})
export class JobsModule {
  static forRole(role: Config['ROLE']): DynamicModule {
    return {
      module: JobsModule,
      controllers:
        role === 'worker'
          ? []
          : [
              JobsController,
              JobDetailController,
              JobLogsController,
              JobPurgeController,
              AuditController,
              LimitsController,
            ],
      providers: [
        JobStore,
        ResultsReader,
        JobDetailStore,
        JobLogsStore,
        AuditStore,
        GrantedLimitsStore,
        SubmitQuota,
        Submit,
        JobSignals,
        WorkerStore,
        Reaper,
        RetentionStore,
        Retention,
        UsageMeter,
        UsageStore,
        UsageRecount,
        KeyCleaner,
        ...(role === 'api' ? [] : [ClaimStore, LeaseStore, Worker]),
      ],
      exports: [
        JobStore,
        JobLogsStore,
        Submit,
        JobSignals,
        ...(role === 'api' ? [] : [ClaimStore, LeaseStore, Worker]),
      ],
    };
  }
}
