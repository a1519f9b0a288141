import { TASK, TASK_PAGE } from './compute/catalogue/catalogue.schema.js';
import { BATCH } from './compute/execute/batch/batch.schema.js';
import { BULK_ANSWER } from './jobs/bulk/selection.schema.js';
import { JOB_PARAMETERS } from './jobs/read/parameters/parameters.schema.js';
import { AUDIT_PAGE } from './jobs/audit/audit.schema.js';
import { JOB_EVENT, ORGANIZATION_EVENT } from './jobs/follow/event.schema.js';
import { LIMITS } from './jobs/limits/limits.schema.js';
import { JOB_PAGE, JOB_SUMMARY, LISTED_JOB } from './jobs/list/job-list.schema.js';
import { OVERVIEW } from './jobs/overview/overview.schema.js';
import { JOB_LOGS } from './jobs/logs/logs.schema.js';
import { JOB_ATTEMPT, JOB_DETAIL } from './jobs/read/detail/detail.schema.js';
import { JOB_ONGOING, JOB_RESULTS } from './jobs/read/results.schema.js';
import { JOB_STATUS } from './jobs/read/status.schema.js';
import { LIVE, READY } from './platform/health/health.schema.js';
import { PROBLEM } from './platform/http/problem/problem.schema.js';

/** The schemas of all bodies that the service sends, each with its name in the OpenAPI document. */
export const ANSWERS = [
  PROBLEM,
  JOB_STATUS,
  JOB_ONGOING,
  JOB_RESULTS,
  JOB_ATTEMPT,
  JOB_DETAIL,
  OVERVIEW,
  JOB_LOGS,
  JOB_EVENT,
  ORGANIZATION_EVENT,
  JOB_PARAMETERS,
  BULK_ANSWER,
  LISTED_JOB,
  JOB_PAGE,
  JOB_SUMMARY,
  AUDIT_PAGE,
  LIMITS,
  BATCH,
  TASK,
  TASK_PAGE,
  LIVE,
  READY,
] as const;
