import type { Place } from '../../feed/change-hint.js';
import { longId } from '../../feed/short-id.js';
import type { JobSnapshot } from '../../read/watch/job-snapshot.store.js';
import { isSameState, stateId, stateOfId, toldState, type ToldState } from '../told-state.js';

/** Where a client comes back from: the place of its last event, and which state of which job that was. */
export interface ComeBack {
  readonly place: Place;
  /** Null: it has seen none. */
  readonly jobId: string | null;
  readonly state: ToldState | null;
}

const ID = /^(\d{1,17})\.(\d{1,6})(?:\.(([\w-]{22})\..+))?$/;

/** The id of an event of an organization's stream: where it stands among all changes, and what it told. */
export const changeId = ({ stamp, index }: Place, job: JobSnapshot | null): string =>
  `${stamp}.${index}${job === null ? '' : `.${stateId(job)}`}`;

/** @returns null when the id makes no sense */
export function comeBackOf(id: string): ComeBack | null {
  const [, stamp, index, rest = '', short = ''] = ID.exec(id) ?? [];
  if (stamp === undefined) {
    return null;
  }
  const jobId = longId(short);
  return {
    place: { stamp: Number(stamp), index: Number(index) },
    jobId,
    state: jobId === null ? null : stateOfId(rest, jobId),
  };
}

/** Whether a state is the very one that a client has seen last: it is not told of it again. */
export const hasSeen = (from: ComeBack | null, job: JobSnapshot): boolean =>
  from !== null &&
  from.jobId === job.jobId &&
  from.state !== null &&
  isSameState(from.state, toldState(job));
