import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Job, JobDetail, ListedJob } from 'headframe-client';
import { useEffect } from 'react';
import { useApi } from '../api/api-context.js';
import { useLive } from '../live/live-context.js';

/** How often a job that waits is asked why, besides at each change. */
const WAITING_EVERY_MS = 5_000;

export const ENDED = ['succeeded', 'failed', 'canceled'];
export const hasEnded = ({ status }: Pick<JobDetail, 'status'>): boolean => ENDED.includes(status);

/** All that is kept of a job, following what happens to it. */
export function useJob(job: Job) {
  const api = useApi();
  const live = useLive();
  const client = useQueryClient();
  const key = ['job', api.org, job.task, job.id];
  useEffect(
    () =>
      live.subscribe((change) => {
        if (change.type === 'reset') {
          void client.invalidateQueries({ queryKey: key });
          return;
        }
        if (change.job.id !== job.id) return;
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
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.client.detail(job, { signal }),
  });
}

/** Why a job waits, for as long as it does: the list knows. */
export function useWaiting(job: Job, waits: boolean) {
  const api = useApi();
  return useQuery({
    queryKey: ['waiting', api.org, job.id],
    queryFn: async ({ signal }): Promise<ListedJob | null> => {
      const page = await api.client.listPage({ q: job.id }, { limit: 1, signal });
      return page.jobs[0] ?? null;
    },
    enabled: waits,
    refetchInterval: WAITING_EVERY_MS,
  });
}
