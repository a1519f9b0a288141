import { useWindowVirtualizer } from '@tanstack/react-virtual';
import type { ListedJob } from 'headframe-client';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { plural } from '../format/number-words.js';
import { useNow } from '../ui/use-now.js';
import { type Column, sorted } from './job-order.js';
import { JobRow } from './job-row.js';

const ROW_PX = 44;
const CARD_PX = 132;
/** Older jobs are asked for when so few rows are left below. */
const AHEAD = 30;
const NARROW = window.matchMedia('(max-width: 60rem)');

const COLUMNS: readonly { readonly by: Column; readonly title: string; readonly hint?: string }[] =
  [
    { by: 'status', title: 'Status' },
    { by: 'task', title: 'Job' },
    { by: 'progress', title: 'Progress' },
    { by: 'created', title: 'Age' },
    { by: 'wait', title: 'Waited' },
    { by: 'run', title: 'Ran' },
    { by: 'attempt', title: 'Attempt' },
  ];

/** The jobs, as a table where there is room, as cards where there is not; only what is in sight is drawn. */
export function JobTable({
  rows,
  more,
  loading,
  sort,
  onSort,
  onEnd,
  onLabel,
  selected,
  onSelect,
}: {
  rows: readonly ListedJob[];
  more: boolean;
  loading: boolean;
  sort: string;
  onSort: (sort: string) => void;
  onEnd: () => void;
  onLabel: (label: string) => void;
  selected: ReadonlySet<string>;
  onSelect: ((next: ReadonlySet<string>) => void) | null;
}) {
  const now = useNow();
  const narrow = useSyncExternalStore(subscribeToWidth, () => NARROW.matches);
  const changing = sort.includes('wait') || sort.includes('run');
  const sortedAt = changing ? now : 0;
  const ordered = useMemo(() => sorted(rows, sort, sortedAt), [rows, sort, sortedAt]);
  const body = useRef<HTMLDivElement>(null);
  const margin = useTop(body);
  const height = narrow ? CARD_PX : ROW_PX;
  const virtual = useWindowVirtualizer({
    count: ordered.length,
    estimateSize: () => height,
    overscan: 10,
    scrollMargin: margin,
    getItemKey: (index) => ordered[index]?.id ?? index,
  });
  useEffect(() => virtual.measure(), [height, virtual]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= ordered.length - AHEAD) onEnd();
  });
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect?.(next);
  };
  const all = ordered.length > 0 && ordered.every(({ id }) => selected.has(id));

  return (
    <div className="job-frame">
      <div
        className="job-table"
        role="table"
        aria-label="Jobs"
        aria-rowcount={more ? -1 : ordered.length + 1}
      >
        <div role="rowgroup">
          <div
            className="job-head"
            role="row"
            aria-rowindex={1}
            data-selectable={onSelect !== null}
          >
            {onSelect !== null && (
              <span role="columnheader">
                <input
                  type="checkbox"
                  aria-label={`Select the ${plural(ordered.length, 'job')} that are loaded`}
                  checked={all}
                  onChange={() => onSelect(new Set(all ? [] : ordered.map(({ id }) => id)))}
                />
              </span>
            )}
            {COLUMNS.map(({ by, title }) => (
              <ColumnHead key={by} by={by} title={title} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        <div
          ref={body}
          role="rowgroup"
          className="job-body"
          style={{ height: virtual.getTotalSize() }}
        >
          {items.map(({ index, start, key }) => {
            const job = ordered[index];
            return job === undefined ? null : (
              <JobRow
                key={key}
                job={job}
                index={index}
                top={start - margin}
                now={now}
                selected={selected.has(job.id)}
                onToggle={onSelect === null ? null : toggle}
                onLabel={onLabel}
              />
            );
          })}
        </div>
      </div>
      <p className="small soft table-end" role="status">
        {more
          ? `${plural(ordered.length, 'job')} loaded; older ones come as you scroll${sort === '' ? '' : ', and are sorted in'}.`
          : `${plural(ordered.length, 'job')}.`}
      </p>
    </div>
  );
}

function ColumnHead({
  by,
  title,
  sort,
  onSort,
}: {
  by: Column;
  title: string;
  sort: string;
  onSort: (sort: string) => void;
}) {
  const order = sort === by ? 'ascending' : sort === `-${by}` ? 'descending' : 'none';
  const next = order === 'none' ? `-${by}` : order === 'descending' ? by : '';
  return (
    <span role="columnheader" aria-sort={order} data-column={by}>
      <button type="button" onClick={() => onSort(next)}>
        {title}
        <span aria-hidden="true">
          {order === 'ascending' ? ' ↑' : order === 'descending' ? ' ↓' : ''}
        </span>
      </button>
    </span>
  );
}

function subscribeToWidth(listener: () => void): () => void {
  NARROW.addEventListener('change', listener);
  return () => NARROW.removeEventListener('change', listener);
}

/** How far below the page's beginning an element begins. */
function useTop(element: React.RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  useEffect(() => {
    const measure = () => {
      const box = element.current?.getBoundingClientRect();
      if (box !== undefined) setTop(Math.round(box.top + window.scrollY));
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(document.body);
    return () => watch.disconnect();
  }, [element]);
  return top;
}
