import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { JobState, JobSummary } from 'headframe-client';
import { useState } from 'react';
import { useApi } from '../api/api-context.js';
import type { Overview, Percentiles } from '../api/overview-types.js';
import { countWords, plural } from '../format/number-words.js';
import { ageWords, durationWords } from '../format/time-words.js';
import { Empty, Failed, Loading } from '../ui/page-state.js';
import { StatusBadge } from '../ui/status-badge.js';
import { useTitle } from '../ui/use-title.js';
import { ThroughputChart } from './throughput-chart.js';

/** The service itself keeps an answer for five seconds. */
const EVERY_MS = 5_000;
const STATES: readonly JobState[] = ['requested', 'in progress', 'succeeded', 'failed', 'canceled'];

/** How the organization's work goes: now, and over the last hour or day. */
export default function OverviewPage() {
  useTitle('Overview');
  const api = useApi();
  const [period, setPeriod] = useState<'hour' | 'day'>('hour');
  const summary = useQuery({
    queryKey: ['summary', api.org, 'now'],
    queryFn: ({ signal }) => api.client.summary({}, { signal }),
    refetchInterval: EVERY_MS,
  });
  const overview = useQuery({
    queryKey: ['overview', api.org, period],
    queryFn: ({ signal }) => api.get<Overview>(`jobs/overview?period=${period}`, signal),
    refetchInterval: EVERY_MS,
    placeholderData: (before) => before,
  });
  const fault = summary.error ?? overview.error;
  return (
    <>
      <div className="page-head">
        <h1>Overview</h1>
        <div className="switch" role="group" aria-label="How far back">
          <button type="button" aria-pressed={period === 'hour'} onClick={() => setPeriod('hour')}>
            Last hour
          </button>
          <button type="button" aria-pressed={period === 'day'} onClick={() => setPeriod('day')}>
            Last day
          </button>
        </div>
      </div>
      {summary.data !== undefined && <Now summary={summary.data} />}
      {overview.data !== undefined && <Lately overview={overview.data} period={period} />}
      {overview.data === undefined &&
        (fault === null ? (
          <Loading what="the overview" />
        ) : (
          <Failed error={fault} onRetry={() => void overview.refetch()} />
        ))}
    </>
  );
}

function Now({ summary }: { summary: JobSummary }) {
  const { org } = useApi();
  const waiting = summary.oldest_waiting_seconds;
  return (
    <section aria-label="Jobs now">
      <ul className="tiles">
        {STATES.map((state) => (
          <li key={state} className="panel tile">
            <Link to="/$org/jobs" params={{ org }} search={{ status: state } as never}>
              <StatusBadge status={state} />
              <b>
                {countWords(summary.by_status[state] ?? 0)}
                {summary.truncated && '+'}
              </b>
            </Link>
          </li>
        ))}
        <li className="panel tile">
          <span className="soft small">Oldest that waits</span>
          <b>{waiting === undefined ? 'none' : durationWords(waiting)}</b>
        </li>
      </ul>
    </section>
  );
}

function Lately({ overview, period }: { overview: Overview; period: 'hour' | 'day' }) {
  const words = period === 'hour' ? 'the last hour' : 'the last day';
  return (
    <>
      {overview.truncated && (
        <p className="callout info">
          {`Only the newest ${countWords(overview.counted)} jobs of ${words} are looked at here.`}
        </p>
      )}
      <section className="panel" aria-label="Throughput">
        <h2>Throughput</h2>
        {overview.counted === 0 ? (
          <Empty title={`No job in ${words}`} />
        ) : (
          <ThroughputChart overview={overview} words={words} />
        )}
      </section>
      <section className="panel" aria-label="Times">
        <h2>Times</h2>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Of the jobs in {words}</th>
              <th scope="col" className="number">
                Half within
              </th>
              <th scope="col" className="number">
                90 % within
              </th>
              <th scope="col" className="number">
                99 % within
              </th>
            </tr>
          </thead>
          <tbody>
            <Times name="Waited" times={overview.wait_seconds} />
            <Times name="Ran" times={overview.run_seconds} />
          </tbody>
        </table>
      </section>
      <ByTask overview={overview} />
      <Workers overview={overview} />
    </>
  );
}

function Times({ name, times }: { name: string; times: Percentiles | null }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {(['p50', 'p90', 'p99'] as const).map((part) => (
        <td key={part} className="number">
          {times === null ? '–' : durationWords(times[part])}
        </td>
      ))}
    </tr>
  );
}

function ByTask({ overview }: { overview: Overview }) {
  const { org } = useApi();
  if (overview.by_task.length === 0) return null;
  return (
    <section className="panel" aria-label="Tasks">
      <h2>By task</h2>
      <div className="scroll" tabIndex={0} role="group" aria-label="By task">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col" className="number">
                Submitted
              </th>
              <th scope="col" className="number">
                Failed
              </th>
              <th scope="col" className="number">
                Failure rate
              </th>
              <th scope="col" className="number">
                Half ran within
              </th>
              <th scope="col" className="number">
                90 % within
              </th>
            </tr>
          </thead>
          <tbody>
            {overview.by_task.map(({ topic, task, submitted, ended, failed, run_seconds: run }) => (
              <tr key={`${topic}/${task}`}>
                <th scope="row">
                  <Link
                    to="/$org/jobs"
                    params={{ org }}
                    search={{ task: `${topic}/${task}` } as never}
                  >{`${topic}/${task}`}</Link>
                </th>
                <td className="number">{countWords(submitted)}</td>
                <td className="number">
                  {failed === 0 ? (
                    '0'
                  ) : (
                    <Link
                      to="/$org/jobs"
                      params={{ org }}
                      search={{ task: `${topic}/${task}`, status: 'failed' } as never}
                    >
                      {countWords(failed)}
                    </Link>
                  )}
                </td>
                <td className="number">
                  {ended === 0
                    ? '–'
                    : `${((failed / ended) * 100).toFixed(failed === 0 ? 0 : 1)} %`}
                </td>
                <td className="number">{run === null ? '–' : durationWords(run.p50)}</td>
                <td className="number">{run === null ? '–' : durationWords(run.p90)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Workers({ overview }: { overview: Overview }) {
  const { workers, leases_lost: lost } = overview;
  const slots = workers.reduce((sum, worker) => sum + (worker.slots ?? 0), 0);
  return (
    <section className="panel" aria-label="Workers">
      <div className="panel-head">
        <h2>Workers</h2>
        <span className="soft small">
          {`${plural(workers.length, 'worker')}, ${plural(slots, 'slot')}; ${plural(lost, 'lease')} lost`}
        </span>
      </div>
      {workers.length === 0 ? (
        <p className="callout warn">No worker is alive: jobs wait until the operator starts one.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Workers">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Worker</th>
                <th scope="col">State</th>
                <th scope="col">Version</th>
                <th scope="col" className="number">
                  Slots
                </th>
                <th scope="col" className="number">
                  Runs of yours
                </th>
                <th scope="col">Last beat</th>
              </tr>
            </thead>
            <tbody>
              {workers.map((worker) => (
                <tr key={worker.id}>
                  <th scope="row" className="mono">
                    {worker.id.slice(-8)}
                  </th>
                  <td>
                    {worker.draining
                      ? 'Shutting down'
                      : worker.beat_seconds_ago > 60
                        ? 'Silent'
                        : 'Alive'}
                  </td>
                  <td>{worker.version ?? 'unknown'}</td>
                  <td className="number">{worker.slots ?? '–'}</td>
                  <td className="number">{worker.running}</td>
                  <td>{ageWords(worker.beat_seconds_ago)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
