import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Job, JobDetail } from 'headframe-client';
import { useEffect, useRef } from 'react';
import { useApi } from '../api/api-context.js';
import { useLive } from '../live/live-context.js';

/** How often a job that waits is asked why, and one that runs whether it has ended, besides at each change. */
const WAITING_EVERY_MS = 5_000;
const RUNNING_EVERY_MS = 15_000;

export const ENDED = ['succeeded', 'failed', 'canceled'];
export const hasEnded = ({ status }: Pick<JobDetail, 'status'>): boolean => ENDED.includes(status);

/** All that is kept of a job, following what happens to it. */
export function useJob(job: Job) {
  const api = useApi();
  const live = useLive();
  const client = useQueryClient();
  const key = ['job', api.org, job.task, job.id];
  const missed = useRef(false);
  useEffect(
    () =>
      live.subscribe((change) => {
        if (change.type === 'reset') {
          void client.invalidateQueries({ queryKey: key });
          return;
        }
        if (change.job.id !== job.id) return;
        // An answer that is under way may tell of the moment before.
        if (client.isFetching({ queryKey: key }) > 0) missed.current = true;
        const known = client.getQueryData<JobDetail>(key);
        const { status, progress, message } = change.job;
        const isNews =
          known === undefined || known.status !== status || change.job.attempt !== known.attempt;
        if (isNews) {
          // A new state brings attempts and times with it, which the stream does not tell.
          void client.invalidateQueries({ queryKey: key });
        } else {
          client.setQueryData<JobDetail>(key, {
            ...known,
            progress: progress ?? known.progress,
            ...(message !== undefined && { message }),
          });
        }
      }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [live, client, api, job.task, job.id],
  );
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.client.detail(job, { signal }),
    // Why it waits changes without the job's doing.
    refetchInterval: ({ state }) =>
      state.data === undefined || hasEnded(state.data)
        ? false
        : state.data.status === 'requested'
          ? WAITING_EVERY_MS
          : RUNNING_EVERY_MS,
  });
  const { isFetching } = query;
  useEffect(() => {
    if (isFetching || !missed.current) return;
    missed.current = false;
    void client.invalidateQueries({ queryKey: key });
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [isFetching, client]);
  return query;
}
