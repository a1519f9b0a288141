import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Config } from '../platform/config.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditStore } from './audit/audit.store.js';
import { ChangeFeed } from './feed/change-feed.js';
import { FollowedOrganizations } from './feed/followed-organizations.js';
import { HeardChanges } from './feed/heard-changes.js';
import { HintLine } from './feed/hint-line.js';
import { JobEventsController } from './follow/job-events.controller.js';
import { OrganizationEventsController } from './follow/organization/organization-events.controller.js';
import { OrganizationWatches } from './follow/organization/organization-watches.js';
import { OpenStreams } from './follow/stream/open-streams.js';
import { GrantedLimitsStore } from './limits/granted-limits.store.js';
import { OrganizationRates } from './limits/organization-rates.js';
import { OrganizationRatesGuard } from './limits/organization-rates.guard.js';
import { LimitsController } from './limits/limits.controller.js';
import { ClaimStore } from './lease/claim.store.js';
import { JobDetailController } from './read/detail/detail.controller.js';
import { JobDetailStore } from './read/detail/detail.store.js';
import { BulkAct } from './bulk/bulk-act.js';
import { BulkController } from './bulk/bulk.controller.js';
import { SelectedJobs } from './bulk/selected-jobs.js';
import { JobParametersController } from './read/parameters/parameters.controller.js';
import { JobParametersStore } from './read/parameters/parameters.store.js';
import { Rerun } from './submit/rerun.js';
import { RerunStore } from './submit/rerun.store.js';
import { JobMetrics } from './metrics/job-metrics.js';
import { OrganizationMetrics } from './metrics/organization-metrics.js';
import { QueueFiguresStore } from './metrics/queue-figures.store.js';
import { QueueMetrics } from './metrics/queue-metrics.js';
import { JobListController } from './list/job-list.controller.js';
import { JobListStore } from './list/job-list.store.js';
import { JobSearch } from './list/search/job-search.js';
import { JobSummaryStore } from './list/job-summary.store.js';
import { OutlookStore } from './outlook/outlook.store.js';
import { JobLogsController } from './logs/logs.controller.js';
import { JobLogsStore } from './logs/logs.store.js';
import { PurgeController } from './end/purge.controller.js';
import { JobSignals } from './job/job-signals.js';
import { SubmitStore } from './submit/submit.store.js';
import { JobStateStore } from './read/job-state.store.js';
import { Cancel } from './end/cancel.js';
import { CancelController } from './end/cancel.controller.js';
import { EndStore } from './end/end.store.js';
import { Purge } from './end/purge.js';
import { JobSnapshotStore } from './read/watch/job-snapshot.store.js';
import { JobWaits } from './read/watch/job-waits.js';
import { JobWatches } from './read/watch/job-watches.js';
import { DocumentReader } from './read/document-reader.js';
import { StatusController } from './read/status.controller.js';
import { KeyCleaner } from './care/key-cleaner.js';
import { LeaseStore } from './lease/lease.store.js';
import { Tend } from './care/tend.js';
import { TendStore } from './care/tend.store.js';
import { Retention } from './care/retention.js';
import { RetentionStore } from './care/retention.store.js';
import { Submit } from './submit/submit.js';
import { SubmitQuota } from './submit/submit-quota.js';
import { OverviewController } from './overview/overview.controller.js';
import { OverviewStore } from './overview/overview.store.js';
import { UsageMeter } from './limits/usage-meter.js';
import { UsageRecount } from './care/usage-recount.js';
import { UsageStore } from './care/usage.store.js';
import { LocalStarts } from './lease/local-starts.js';
import { LocalWorker } from './lease/local-worker.js';
import { WorkerStore } from './lease/worker.store.js';

/** For those who follow jobs: a process that answers no clients needs none of it. */
const ANSWERING = [
  HeardChanges,
  JobSnapshotStore,
  JobWatches,
  JobWaits,
  OpenStreams,
  OrganizationWatches,
];

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
              StatusController,
              CancelController,
              JobDetailController,
              JobEventsController,
              OrganizationEventsController,
              JobListController,
              OverviewController,
              JobLogsController,
              PurgeController,
              BulkController,
              JobParametersController,
              AuditController,
              LimitsController,
            ],
      providers: [
        OrganizationMetrics,
        JobMetrics,
        QueueFiguresStore,
        QueueMetrics,
        SubmitStore,
        JobStateStore,
        EndStore,
        Cancel,
        Purge,
        BulkAct,
        SelectedJobs,
        JobParametersStore,
        DocumentReader,
        JobDetailStore,
        JobSearch,
        JobListStore,
        JobSummaryStore,
        OverviewStore,
        OutlookStore,
        JobLogsStore,
        AuditStore,
        GrantedLimitsStore,
        SubmitQuota,
        Submit,
        RerunStore,
        Rerun,
        JobSignals,
        FollowedOrganizations,
        ChangeFeed,
        ...(role === 'worker' ? [] : ANSWERING),
        ...(role === 'api' ? [HintLine] : []),
        LocalStarts,
        WorkerStore,
        TendStore,
        Tend,
        RetentionStore,
        Retention,
        OrganizationRates,
        // Behind the guards of auth, which judge the token and the organization.
        { provide: APP_GUARD, useClass: OrganizationRatesGuard },
        UsageMeter,
        UsageStore,
        UsageRecount,
        KeyCleaner,
        ...(role === 'api' ? [] : [ClaimStore, LeaseStore, LocalWorker]),
      ],
      exports: [
        JobLogsStore,
        Submit,
        Rerun,
        BulkAct,
        JobParametersStore,
        JobSignals,
        ChangeFeed,
        JobMetrics,
        LocalStarts,
        OrganizationRates,
        ...(role === 'worker' ? [] : [JobWaits]),
        ...(role === 'api' ? [] : [ClaimStore, LeaseStore, LocalWorker]),
      ],
    };
  }
}
