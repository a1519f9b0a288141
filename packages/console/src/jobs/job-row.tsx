import { Link } from '@tanstack/react-router';
import type { ListedJob } from 'headframe-client';
import { memo } from 'react';
import { useApi } from '../api/api-context.js';
import { ageWords, durationWords, momentWords } from '../format/time-words.js';
import { LabelTags } from '../ui/label-tags.js';
import { ProgressBar } from '../ui/progress-bar.js';
import { StatusBadge } from '../ui/status-badge.js';
import { runOf, waitOf } from './job-order.js';
import { WAITS_SHORT } from './waiting-words.js';

/** One job of the table. @param now by the service's clock, in milliseconds */
export const JobRow = memo(function JobRow({
  job,
  index,
  top,
  now,
  selected,
  onToggle,
  onLabel,
}: {
  job: ListedJob;
  index: number;
  top: number;
  now: number;
  selected: boolean;
  onToggle: ((id: string) => void) | null;
  onLabel: (label: string) => void;
}) {
  const { org } = useApi();
  const [topic = '', task = ''] = job.task.split('/');
  const run = runOf(job, now);
  return (
    <div
      className="job-row"
      role="row"
      aria-rowindex={index + 2}
      data-selectable={onToggle !== null}
      data-selected={selected}
      style={{ transform: `translateY(${top}px)` }}
    >
      {onToggle !== null && (
        <span role="cell">
          <input
            type="checkbox"
            aria-label={`Select ${task} ${job.id}`}
            checked={selected}
            onChange={() => onToggle(job.id)}
          />
        </span>
      )}
      <span role="cell" data-column="status">
        <StatusBadge status={job.status} />
      </span>
      <span role="cell" data-column="task">
        <span className="line">
          <Link
            to="/$org/jobs/$topic/$task/$id"
            params={{ org, topic, task, id: job.id }}
            title={job.id}
          >
            <span className="soft">{`${topic}/`}</span>
            {task} <span className="mono small">{shortId(job.id)}</span>
          </Link>
          <LabelTags labels={job.labels} onChoose={onLabel} />
        </span>
        <span className="line small soft">
          <bdi>{aboutJob(job)}</bdi>
        </span>
      </span>
      <span role="cell" data-column="progress">
        {job.status === 'in progress' || job.status === 'canceling' ? (
          <ProgressBar percent={job.progress} label={`Progress of ${shortId(job.id)}`} />
        ) : (
          <span className="small soft">{endWords(job)}</span>
        )}
      </span>
      <span role="cell" data-column="created" title={momentWords(job.created_at)}>
        {ageWords((now - Date.parse(job.created_at)) / 1_000)}
      </span>
      <span role="cell" data-column="wait">
        <span className="cell-name">waited </span>
        {durationWords(waitOf(job, now))}
      </span>
      <span role="cell" data-column="run">
        {run === null ? (
          <span className="soft">–</span>
        ) : (
          <>
            <span className="cell-name">ran </span>
            {durationWords(run)}
          </>
        )}
      </span>
      <span role="cell" data-column="attempt">
        <span className="cell-name">attempt </span>
        {job.attempt}
      </span>
    </div>
  );
});

/** The last digits: the first of ids of the same hour are the same. */
export const shortId = (id: string): string => id.slice(-8);

/** What one wants to know of a job first, in a line. */
function aboutJob({ status, message, error, waits_for, estimate }: ListedJob): string {
  if (status === 'requested' && waits_for !== undefined) {
    const starts = estimate?.starts_in;
    const soon = starts === undefined || starts < 1 ? '' : `; about ${durationWords(starts)} to go`;
    return `Waits ${WAITS_SHORT[waits_for]}${soon}`;
  }
  if (error !== undefined && status === 'failed') return error.title;
  return message ?? '';
}

function endWords({ status, ended_at, progress }: ListedJob): string {
  if (ended_at === undefined) return status === 'requested' ? 'not started' : `${progress} %`;
  return `ended ${momentWords(ended_at).split(', ').at(-1)}`;
}
