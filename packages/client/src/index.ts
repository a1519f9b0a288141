// What the package offers.
export {
  ConnectionError,
  HeadframeError,
  JobCanceledError,
  JobError,
  JobFailedError,
  JobOngoingError,
  RequestError,
  UnexpectedAnswerError,
} from './errors.js';
export type {
  BulkOptions,
  CallOptions,
  LogOptions,
  PageOptions,
  RerunOptions,
  RunOptions,
  SubmitOptions,
  WaitOptions,
} from './call-options.js';
export { HeadframeClient } from './headframe-client.js';
export type {
  BulkOutcome,
  Change,
  ChangedJob,
  JobFilter,
  JobPage,
  JobSelection,
  JobState,
  JobSummary,
  ListedJob,
  StreamFilter,
  WaitsFor,
} from './list-types.js';
export type { Job } from './job.js';
export type { ClientSettings } from './settings.js';
export type { KnownTask, ParametersOf, ResultsOf, TaskName } from './task-types.js';
export type { TokenSource } from './http/transport.js';
export type {
  AuditEntry,
  AuditFilter,
  ExecuteOptions,
  JobDetail,
  JobStatus,
  Limits,
  LogPiece,
  Problem,
  Task,
} from './wire-types.js';
