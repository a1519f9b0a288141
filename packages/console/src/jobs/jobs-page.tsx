import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Search } from '../app/address.js';
import { useApi, useMay } from '../api/api-context.js';
import { useLive } from '../live/live-context.js';
import { Empty, Failed, Loading } from '../ui/page-state.js';
import { useTitle } from '../ui/use-title.js';
import { BulkBar } from './bulk-bar.js';
import {
  chipsOf,
  filterOf,
  type JobsSearch,
  readSearch,
  showsState,
  withChip,
} from './job-filter.js';
import { JobRows } from './job-rows.js';
import { JobTable } from './job-table.js';
import { JobsToolbar } from './jobs-toolbar.js';

const NOTHING: ReadonlySet<string> = new Set();

/** The organization's jobs: found, followed, and acted upon. */
export default function JobsPage() {
  useTitle('Jobs');
  const found = useSearch({ strict: false }) as Search;
  const search = useMemo(() => readSearch(found), [found]);
  const filterKey = JSON.stringify({ ...search, sort: '' });
  const navigate = useNavigate();
  const change = (next: JobsSearch) =>
    void navigate({ to: '.', search: next as unknown as Record<string, unknown> } as never);
  const rows = useRows(search, filterKey);
  const [selected, setSelected] = useState(NOTHING);
  useEffect(() => setSelected(NOTHING), [filterKey]);
  const mayAct = useMay('compute:execute');

  return (
    <>
      <div className="page-head">
        <h1>Jobs</h1>
      </div>
      <JobsToolbar search={search} onChange={change} />
      {mayAct && (
        <BulkBar
          search={search}
          selected={selected}
          onDone={() => {
            setSelected(NOTHING);
            void rows.store.refresh();
          }}
          onClear={() => setSelected(NOTHING)}
        />
      )}
      <JobsBody
        rows={rows}
        search={search}
        onChange={change}
        selected={selected}
        onSelect={mayAct ? setSelected : null}
      />
    </>
  );
}

function useRows(search: JobsSearch, filterKey: string) {
  const api = useApi();
  const live = useLive();
  const store = useMemo(
    () =>
      new JobRows(
        api.client,
        () => filterOf(search),
        ({ status }) => showsState(search, status),
      ),
    // The sorting is the table's: it asks for nothing.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [api, filterKey],
  );
  useEffect(() => {
    void store.refresh();
    const end = live.subscribe((change) => store.take(change));
    return () => {
      end();
      store.end();
    };
  }, [store, live]);
  return { store, ...useSyncExternalStore(store.subscribe, store.snapshot) };
}

function JobsBody({
  rows,
  search,
  onChange,
  selected,
  onSelect,
}: {
  rows: ReturnType<typeof useRows>;
  search: JobsSearch;
  onChange: (next: JobsSearch) => void;
  selected: ReadonlySet<string>;
  onSelect: ((next: ReadonlySet<string>) => void) | null;
}) {
  if (!rows.known && rows.error !== null) {
    return <Failed error={rows.error} onRetry={() => void rows.store.refresh()} />;
  }
  if (!rows.known) return <Loading what="jobs" />;
  if (rows.rows.length === 0) {
    return chipsOf(search).length > 0 ? (
      <Empty title="No job matches">
        <p>Remove a condition above, or look further back.</p>
        <button
          type="button"
          className="button"
          onClick={() => onChange({ ...readSearch({}), sort: search.sort })}
        >
          Show all jobs
        </button>
      </Empty>
    ) : (
      <NoJobsYet />
    );
  }
  return (
    <JobTable
      rows={rows.rows}
      more={rows.more}
      loading={rows.loading}
      sort={search.sort}
      onSort={(sort) => onChange({ ...search, sort })}
      onEnd={() => void rows.store.loadMore()}
      onLabel={(value) => onChange(withChip(search, { name: 'label', value, excluded: false }))}
      selected={selected}
      onSelect={onSelect}
    />
  );
}

function NoJobsYet() {
  const api = useApi();
  const mayRun = useMay('compute:execute');
  const navigate = useNavigate();
  const tasks = useQuery({ queryKey: ['tasks', api.org], queryFn: () => api.client.tasks() });
  return (
    <Empty title="No jobs yet">
      <p>
        {tasks.data === undefined
          ? 'Jobs appear here as they are submitted.'
          : `Jobs appear here as they are submitted. There are ${tasks.data.length} tasks to run.`}
      </p>
      {mayRun && (
        <button
          type="button"
          className="button primary"
          onClick={() => void navigate({ to: '/$org/tasks', params: { org: api.org } })}
        >
          Choose a task
        </button>
      )}
    </Empty>
  );
}
