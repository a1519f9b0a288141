import { describe, expect, it } from 'vitest';
import type { JobStatus } from '../../src/jobs/job/job-status.js';
import {
  compareStates,
  stateId,
  stateOfId,
  statesBetween,
  toldState,
} from '../../src/jobs/follow/told-state.js';
import type { JobSnapshot } from '../../src/jobs/read/watch/job-snapshot.store.js';

const job = (status: JobStatus, attempt: number, progress = 0, message: string | null = null) =>
  ({
    jobId: '01a21bee-fd92-75f1-a180-3b8220062479',
    orgId: '5eed0000-0000-4000-8000-000000000001',
    topic: 'diagnostics',
    task: 'sleep',
    status,
    attempt,
    progress,
    message,
    error: null,
    createdAt: new Date(0),
    startedAt: new Date(1),
    endedAt: null,
    labels: {},
    mark: '0',
  }) satisfies JobSnapshot;

describe('how far a job has come', () => {
  it('stands in the order of its life', () => {
    const life = [
      job('requested', 0),
      job('in progress', 1),
      job('in progress', 1, 40),
      job('canceling', 1, 40),
      job('requested', 1),
      job('in progress', 2),
      job('failed', 2),
    ].map(toldState);
    const steps = life.slice(1).map((state, at) => compareStates(state, life[at] ?? state));
    expect(steps.every((step) => step > 0)).toBe(true);
  });

  it('is what its id says, of that job alone', () => {
    const one = job('in progress', 3, 40, 'two fifths');
    expect(stateOfId(stateId(one), one.jobId)).toEqual(toldState(one));
    expect(stateOfId(stateId(one), '01a21bee-fd92-75f1-a180-3b8220062470')).toBe(null);
    expect(stateId(one)).not.toBe(stateId(job('in progress', 3, 40, 'still')));
  });

  it.each<[string, JobSnapshot | null, JobSnapshot, string[]]>([
    ['a new one that waits', null, job('requested', 0), []],
    ['a new one that runs', null, job('in progress', 1), ['0 requested']],
    ['a new one that has ended', null, job('succeeded', 1), ['0 requested', '1 in progress']],
    ['a new one that was canceled', null, job('canceled', 0), ['0 requested']],
    ['one that waited', job('requested', 0), job('failed', 1), ['1 in progress']],
    ['one that waited and was canceled', job('requested', 0), job('canceled', 0), []],
    ['one that ran', job('in progress', 1), job('succeeded', 1), []],
    ['one that is tried again', job('in progress', 1), job('requested', 1), []],
    ['one that runs again', job('in progress', 1), job('in progress', 2), ['1 requested']],
    [
      'one that ended in its next attempt',
      job('in progress', 1, 90),
      job('succeeded', 2),
      ['1 requested', '2 in progress'],
    ],
    [
      'one that was started very often',
      job('requested', 0),
      job('succeeded', 50),
      ['49 in progress', '49 requested', '50 in progress'],
    ],
  ])('leads through the states between: %s', (_, from, to, passed) => {
    const between = statesBetween(from && toldState(from), to);
    expect(between.map(({ attempt, status }) => `${attempt} ${status}`)).toEqual(passed);
    for (const state of between) {
      expect(state).toMatchObject({ progress: 0, message: null, endedAt: null });
      expect(compareStates(toldState(state), toldState(to))).toBeLessThan(0);
    }
  });
});
