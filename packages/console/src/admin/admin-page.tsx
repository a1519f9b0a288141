import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { AuditEntry, Limits } from 'headframe-client';
import type { Search } from '../app/address.js';
import { textOf } from '../app/address.js';
import { useApi, useMay } from '../api/api-context.js';
import { byteWords, countWords } from '../format/number-words.js';
import { momentWords } from '../format/time-words.js';
import { Empty, Failed, Loading } from '../ui/page-state.js';
import { useTitle } from '../ui/use-title.js';

/** What the organization may use and uses, and who did what: for its administrators. */
export default function AdminPage() {
  useTitle('Administration');
  if (!useMay('compute:admin')) {
    return (
      <Empty title="For administrators">
        <p>Your token lacks the scope to administer this organization.</p>
      </Empty>
    );
  }
  return (
    <>
      <h1>Administration</h1>
      <LimitsPanel />
      <AuditPanel />
    </>
  );
}

function LimitsPanel() {
  const api = useApi();
  const { data, error, refetch } = useQuery({
    queryKey: ['limits', api.org],
    queryFn: ({ signal }) => api.client.limits({ signal }),
    refetchInterval: 5_000,
  });
  return (
    <section className="panel" aria-label="Limits and usage">
      <h2>Limits and usage</h2>
      {data === undefined ? (
        error === null ? (
          <Loading what="limits" />
        ) : (
          <Failed error={error} onRetry={() => void refetch()} />
        )
      ) : (
        <LimitsTable limits={data} />
      )}
    </section>
  );
}

function LimitsTable({ limits }: { limits: Limits }) {
  const { used } = limits;
  const rows: readonly (readonly [
    string,
    number | null,
    number | null,
    (value: number) => string,
  ])[] = [
    ['Jobs that run at once', used.running, limits.max_running, countWords],
    ['Jobs that wait', used.unstarted, limits.max_unstarted, countWords],
    [
      'Bytes of parameters, results and logs',
      used.stored_bytes,
      limits.max_stored_bytes,
      byteWords,
    ],
    ['Submits in a minute', null, limits.submits_per_minute, countWords],
    ['Polls in a minute', null, limits.polls_per_minute, countWords],
    ['Other requests in a minute', null, limits.requests_per_minute, countWords],
    ['Days for which ended jobs are kept', null, limits.retention_days, countWords],
    ['Weight while organizations compete', null, limits.weight, countWords],
  ];
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Limits and usage">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col" className="number">
              Used now
            </th>
            <th scope="col" className="number">
              Limit
            </th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, now, most, words]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="number">{now === null ? '' : words(now)}</td>
              <td className="number">{most === null ? 'none' : words(most)}</td>
              <td>
                {now !== null && most !== null && most > 0 && (
                  <progress
                    value={Math.min(now, most)}
                    max={most}
                    aria-label={`${name}: share of the limit`}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="small soft">The operator of the service sets them.</p>
    </div>
  );
}

const ACTIONS = [
  '',
  'job.submit',
  'job.cancel',
  'job.purge',
  'jobs.submit',
  'jobs.cancel',
  'jobs.purge',
  'jobs.rerun',
  'limits.change',
];
const PAGE = 50;

function AuditPanel() {
  const api = useApi();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Search;
  const [job, action, subject] = [search.job, search.action, search.subject].map(textOf) as [
    string,
    string,
    string,
  ];
  const query = new URLSearchParams({
    limit: String(PAGE),
    ...(job !== '' && { job_id: job }),
    ...(action !== '' && { action }),
    ...(subject !== '' && { subject }),
  }).toString();
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(
    {
      queryKey: ['audit', api.org, query],
      queryFn: ({ pageParam, signal }) =>
        api.get<{ results: AuditEntry[]; next: string | null }>(
          `audit?${query}${pageParam === '' ? '' : `&cursor=${encodeURIComponent(pageParam)}`}`,
          signal,
        ),
      initialPageParam: '',
      getNextPageParam: ({ next }) =>
        next === null ? undefined : (new URL(next).searchParams.get('cursor') ?? undefined),
    },
  );
  const entries = data?.pages.flatMap(({ results }) => results);
  const filter = (change: Record<string, string>) =>
    void navigate({ to: '.', search: { ...search, ...change } } as never);
  return (
    <section className="panel" aria-label="Audit">
      <div className="panel-head">
        <h2>Who did what</h2>
        {job !== '' && (
          <button type="button" className="button small" onClick={() => filter({ job: '' })}>
            {`Only job ${job.slice(-8)}: show all`}
          </button>
        )}
        {subject !== '' && (
          <button type="button" className="button small" onClick={() => filter({ subject: '' })}>
            {`Only ${subject}: show all`}
          </button>
        )}
        <label className="row small">
          Act
          <select value={action} onChange={({ target }) => filter({ action: target.value })}>
            {ACTIONS.map((each) => (
              <option key={each} value={each}>
                {each === '' ? 'Any' : each}
              </option>
            ))}
          </select>
        </label>
      </div>
      {entries === undefined ? (
        error === null ? (
          <Loading what="the audit log" />
        ) : (
          <Failed error={error} onRetry={() => void refetch()} />
        )
      ) : entries.length === 0 ? (
        <Empty title="Nothing was done">
          <p>No entry of the audit log matches.</p>
        </Empty>
      ) : (
        <AuditTable entries={entries} onSubject={(value) => filter({ subject: value })} />
      )}
      {hasNextPage && (
        <div>
          <button
            type="button"
            className="button"
            disabled={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            Show older entries
          </button>
        </div>
      )}
    </section>
  );
}

function AuditTable({
  entries,
  onSubject,
}: {
  entries: readonly AuditEntry[];
  onSubject: (subject: string) => void;
}) {
  const { org } = useApi();
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Audit log">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Act</th>
            <th scope="col">Job</th>
            <th scope="col">From</th>
            <th scope="col">Detail</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(
            ({ id, at, action, subject, client, job_id, topic, task, address, detail }) => (
              <tr key={id}>
                <td>{momentWords(at)}</td>
                <td>
                  {subject === null ? (
                    '–'
                  ) : (
                    <button
                      type="button"
                      className="button plain small"
                      onClick={() => onSubject(subject)}
                    >
                      <bdi>{subject}</bdi>
                    </button>
                  )}
                  {client !== null && (
                    <span className="small soft">
                      <bdi>{` by ${client}`}</bdi>
                    </span>
                  )}
                </td>
                <td>{action}</td>
                <td>
                  {job_id === null || topic === null || task === null ? (
                    '–'
                  ) : (
                    <Link
                      to="/$org/jobs/$topic/$task/$id"
                      params={{ org, topic, task, id: job_id }}
                    >
                      {`${task} ${job_id.slice(-8)}`}
                    </Link>
                  )}
                </td>
                <td className="mono small">{address ?? '–'}</td>
                <td className="mono small">
                  {detail === null ? '' : <bdi>{JSON.stringify(detail).slice(0, 300)}</bdi>}
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
