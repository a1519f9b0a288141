import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type Job, type JobDetail, RequestError } from 'headframe-client';
import { useState } from 'react';
import { useApi, useMay } from '../api/api-context.js';
import { useDocument } from '../document/use-document.js';
import { CopyButton } from '../ui/copy-button.js';
import { LabelTags } from '../ui/label-tags.js';
import { Empty, Failed, Loading } from '../ui/page-state.js';
import { ProgressBar } from '../ui/progress-bar.js';
import { StatusBadge } from '../ui/status-badge.js';
import { useTitle } from '../ui/use-title.js';
import { JobActs } from './job-acts.js';
import { JobFacts } from './job-facts.js';
import { JobLogs } from './job-logs.js';
import { JobParameters } from './job-parameters.js';
import { JobProblem } from './job-problem.js';
import { JobResults } from './job-results.js';
import { TimeLine } from './time-line.js';
import { hasEnded, useJob } from './use-job.js';
import { waitingWords } from '../jobs/waiting-words.js';
import { durationWords, momentWords } from '../format/time-words.js';

/** One job: what went wrong first, then what it is doing, what it computed, and what it was given. */
export default function JobPage() {
  const { topic, task, id } = useParams({ strict: false }) as Record<
    'topic' | 'task' | 'id',
    string
  >;
  const job: Job = { task: `${topic}/${task}`, id };
  useTitle(`${task} ${id.slice(-8)}`);
  const { data: detail, error, refetch } = useJob(job);
  const { org } = useApi();
  if (detail === undefined) {
    if (error instanceof RequestError && error.status === 404) {
      return (
        <Empty title="There is no such job">
          <p>It may have been deleted, or its time of keeping is over.</p>
          <Link to="/$org/jobs" params={{ org }} className="button">
            Show all jobs
          </Link>
        </Empty>
      );
    }
    return error === null ? (
      <Loading what="the job" />
    ) : (
      <Failed error={error} onRetry={() => void refetch()} />
    );
  }
  return <JobView key={id} job={job} detail={detail} />;
}

function JobView({ job, detail }: { job: Job; detail: JobDetail }) {
  const { org } = useApi();
  const mayAdminister = useMay('compute:admin');
  const ended = hasEnded(detail);
  const tasks = useTask(job.task);
  const parameters = useDocument(`${job.task}/${job.id}/parameters`);
  const [place, setPlace] = useState<string>();
  return (
    <>
      <div className="page-head">
        <div>
          <div className="row">
            <h1>{tasks?.display_name ?? job.task}</h1>
            <StatusBadge status={detail.status} />
          </div>
          <div className="row small soft">
            <span className="mono">{job.id}</span>
            <CopyButton label="Copy id" text={job.id} />
            <CopyButton label="Copy link" text={() => location.href} />
            <LabelTags labels={detail.labels} />
          </div>
        </div>
        <JobActs job={job} detail={detail} />
      </div>
      {detail.error !== undefined && detail.status === 'failed' && (
        <JobProblem job={job} detail={detail} problem={detail.error} onPlace={setPlace} />
      )}
      {detail.status === 'requested' && <Waiting job={job} detail={detail} />}
      {!ended && detail.status !== 'requested' && (
        <section className="panel" aria-label="Progress">
          <ProgressBar percent={detail.progress} label="Progress of the job" large />
          <p aria-live="polite">
            <bdi>{detail.message ?? 'It has told nothing yet.'}</bdi>
          </p>
        </section>
      )}
      <div className="columns">
        <div>
          {detail.status === 'succeeded' && (
            <JobResults job={job} views={tasks?.view ?? []} parameters={parameters.data?.body} />
          )}
          <JobLogs job={job} ended={ended} />
          <JobParameters job={job} document={parameters} place={place} />
        </div>
        <div>
          <TimeLine detail={detail} />
          <JobFacts detail={detail} />
          {mayAdminister && (
            <Link
              to="/$org/admin"
              params={{ org }}
              search={{ job: job.id } as never}
              className="small"
            >
              Who did what with this job
            </Link>
          )}
        </div>
      </div>
    </>
  );
}

function Waiting({ job, detail }: { job: Job; detail: JobDetail }) {
  const starts = detail.estimate?.starts_in;
  return (
    <section className="callout info" aria-label="Why it waits">
      <h2>Why it waits</h2>
      <p role="status">{waitingWords({ ...detail, task: job.task })}</p>
      {starts !== undefined && starts >= 1 && (
        <p className="soft">{`By how this task went before, it starts in about ${durationWords(starts)}.`}</p>
      )}
      {detail.expires_at !== null && (
        <p className="soft">{`It fails if nobody has started it by ${momentWords(detail.expires_at)}.`}</p>
      )}
    </section>
  );
}

/** What the catalogue says of a task; undefined until it is known, and for one that is no more. */
function useTask(key: string) {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['catalogue', api.org],
    queryFn: ({ signal }) => api.catalogue(signal),
    staleTime: 60_000,
  });
  return data?.find((task) => task.key === key);
}
