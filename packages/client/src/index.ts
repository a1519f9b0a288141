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
export {
  type CallOptions,
  HeadframeClient,
  type LogOptions,
  type RunOptions,
  type SubmitOptions,
  type WaitOptions,
} from './headframe-client.js';
export type { Job } from './job.js';
export type { ClientSettings } from './settings.js';
export type { KnownTask, ParametersOf, ResultsOf, TaskName } from './task-types.js';
export type { TokenSource } from './transport.js';
export type {
  ExecuteOptions,
  JobDetail,
  JobStatus,
  LogPiece,
  Problem,
  Task,
} from './wire-types.js';
