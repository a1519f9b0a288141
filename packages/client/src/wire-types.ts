import type { components, paths } from './generated/api.js';

/** The paths of the API that this client uses; a route that moves breaks the build. */
export const PATHS = {
  execute: '/compute/orgs/{org_id}/{topic}/{task}',
  results: '/compute/orgs/{org_id}/{topic}/{task}/{job_id}',
  status: '/compute/orgs/{org_id}/{topic}/{task}/{job_id}/status',
  detail: '/compute/orgs/{org_id}/{topic}/{task}/{job_id}/detail',
  logs: '/compute/orgs/{org_id}/{topic}/{task}/{job_id}/logs',
  events: '/compute/orgs/{org_id}/{topic}/{task}/{job_id}/events',
  parameters: '/compute/orgs/{org_id}/{topic}/{task}/{job_id}/parameters',
  rerun: '/compute/orgs/{org_id}/{topic}/{task}/{job_id}/rerun',
  batch: '/compute/orgs/{org_id}/{topic}/{task}/batch',
} as const satisfies Record<string, keyof paths>;

/** Those of the organization itself. */
export const ORGANIZATION_PATHS = {
  tasks: '/compute/orgs/{org_id}/tasks',
  limits: '/compute/orgs/{org_id}/limits',
  audit: '/compute/orgs/{org_id}/audit',
  jobs: '/compute/orgs/{org_id}/jobs',
  summary: '/compute/orgs/{org_id}/jobs/summary',
  events: '/compute/orgs/{org_id}/jobs/events',
  cancel: '/compute/orgs/{org_id}/jobs/cancel',
  purge: '/compute/orgs/{org_id}/jobs/purge',
  rerun: '/compute/orgs/{org_id}/jobs/rerun',
} as const satisfies Record<string, keyof paths>;

type JsonOf<R> = R extends { content: { 'application/json': infer Body } } ? Body : never;

/** The JSON that GET of a path answers with a status code. */
export type Answer<P extends keyof paths, Code extends number> = paths[P]['get'] extends {
  responses: infer Responses;
}
  ? Code extends keyof Responses
    ? JsonOf<Responses[Code]>
    : never
  : never;

type ExecuteBody = paths[typeof PATHS.execute]['post'] extends {
  requestBody?: { content: { 'application/json': infer Body } };
}
  ? Body
  : never;

/** A problem document (RFC 9457), of a refused request or of a job that failed. */
export type Problem = components['schemas']['Problem'];
/** What the status of a job says: its state, progress (0–100), message and error. */
export type JobStatus = Answer<typeof PATHS.status, 200 | 202>;
/** Everything that is kept of a job, and of every attempt at it. */
export type JobDetail = Answer<typeof PATHS.detail, 200>;
/** A page of what the command of a job wrote. */
export type LogPage = Answer<typeof PATHS.logs, 200>;
/** Some lines that the command of a job wrote, or a part of a long one. */
export type LogPiece = LogPage['logs'][number];
/** A page of the catalogue. */
export type TaskPage = Answer<typeof ORGANIZATION_PATHS.tasks, 200>;
/** A task that the organization may run. */
export type Task = TaskPage['results'][number];
/** What the organization may use, and what it uses. */
export type Limits = Answer<typeof ORGANIZATION_PATHS.limits, 200>;
/** A page of the audit log. */
export type AuditPage = Answer<typeof ORGANIZATION_PATHS.audit, 200>;
/** Who did what, when and from where. */
export type AuditEntry = AuditPage['results'][number];
/** Which entries of the audit log: all that is named holds at once. */
export type AuditFilter = Omit<
  NonNullable<paths[typeof ORGANIZATION_PATHS.audit]['get']['parameters']['query']>,
  'limit' | 'cursor'
>;
/** What a submit may ask for beside the parameters: priority, times, attempts, labels. */
export type ExecuteOptions = NonNullable<ExecuteBody['options']>;
