import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { Job, JobDetail } from 'headframe-client';
import { useState } from 'react';
import { useApi, useMay } from '../api/api-context.js';
import { Dialog } from '../ui/dialog.js';
import { tellError } from '../ui/error-words.js';
import { hasEnded } from './use-job.js';

/** What can be done with a job by who looks at it. What the token does not allow is not there. */
export function JobActs({ job, detail }: { job: Job; detail: JobDetail }) {
  const api = useApi();
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayExecute = useMay('compute:execute');
  const mayPurge = useMay('compute:admin');
  const [asking, setAsking] = useState(false);
  const [topic = '', task = ''] = job.task.split('/');
  const refresh = () => client.invalidateQueries({ queryKey: ['job', api.org, job.task, job.id] });
  const cancel = useMutation({ mutationFn: () => api.client.cancel(job), onSuccess: refresh });
  const rerun = useMutation({
    mutationFn: () => api.rerun(job),
    onSuccess: ({ id }) =>
      navigate({ to: '/$org/jobs/$topic/$task/$id', params: { org: api.org, topic, task, id } }),
  });
  const purge = useMutation({
    mutationFn: () => api.client.purgeJobs({ ids: [job.id] }),
    onSuccess: () => navigate({ to: '/$org/jobs', params: { org: api.org } }),
  });
  const fault = cancel.error ?? rerun.error ?? purge.error;
  const ended = hasEnded(detail);
  return (
    <div className="row">
      {mayExecute && !ended && (
        <button
          type="button"
          className="button danger"
          disabled={cancel.isPending || detail.status === 'canceling'}
          onClick={() => cancel.mutate()}
        >
          Cancel job
        </button>
      )}
      {mayExecute && ended && (
        <button
          type="button"
          className="button primary"
          disabled={rerun.isPending}
          onClick={() => rerun.mutate()}
        >
          Run again
        </button>
      )}
      {mayExecute && (
        <Link
          to="/$org/tasks/$topic/$task"
          params={{ org: api.org, topic, task }}
          search={{ from: job.id } as never}
          className="button"
        >
          Change and run
        </Link>
      )}
      <Link
        to="/$org/compare"
        params={{ org: api.org }}
        search={{ a: `${job.task}/${job.id}` } as never}
        className="button"
      >
        Compare
      </Link>
      {mayPurge && ended && (
        <button type="button" className="button danger" onClick={() => setAsking(true)}>
          Delete
        </button>
      )}
      {fault !== null && (
        <p className="fault" role="alert">
          {tellError(fault)}
        </p>
      )}
      {asking && (
        <Dialog title="Delete this job?" onClose={() => setAsking(false)}>
          <p>Its parameters, results and logs are gone then. This cannot be undone.</p>
          {purge.error !== null && <p role="alert">{tellError(purge.error)}</p>}
          <div className="row end">
            <button
              type="button"
              className="button danger primary"
              disabled={purge.isPending}
              onClick={() => purge.mutate()}
            >
              Delete job
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
