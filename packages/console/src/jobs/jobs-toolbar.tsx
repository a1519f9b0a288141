import { useQuery } from '@tanstack/react-query';
import type { JobSummary } from 'headframe-client';
import { type FormEvent, useEffect, useId, useState } from 'react';
import { useApi } from '../api/api-context.js';
import { countWords } from '../format/number-words.js';
import { durationWords } from '../format/time-words.js';
import { useLive } from '../live/live-context.js';
import { STATUS_WORDS } from '../ui/status-badge.js';
import { useQueryClient } from '@tanstack/react-query';
import {
  type Chip,
  chipsOf,
  filterOf,
  type JobsSearch,
  PERIODS,
  readTyped,
  STATES,
  withChip,
  withoutChip,
} from './job-filter.js';

/** Counts are asked for anew at most so often, however much happens. */
const COUNTS_EVERY_MS = 3_000;

/** One box to look for anything, the states with their counts, and the conditions in force. */
export function JobsToolbar({
  search,
  onChange,
}: {
  search: JobsSearch;
  onChange: (next: JobsSearch) => void;
}) {
  const api = useApi();
  const tasks = useQuery({ queryKey: ['tasks', api.org], queryFn: () => api.client.tasks() });
  const keys = (tasks.data ?? []).map(({ key }) => key);
  const chips = chipsOf(search);
  return (
    <section className="toolbar" aria-label="Filter">
      <SearchBox keys={keys} onTyped={(chip) => onChange(withChip(search, chip))} />
      <label className="row small">
        <span className="hidden-text">Submitted</span>
        <select
          value={search.since}
          onChange={({ target }) =>
            onChange({ ...search, since: target.value as JobsSearch['since'] })
          }
        >
          <option value="">Submitted at any time</option>
          {Object.entries(PERIODS).map(([period, { words }]) => (
            <option key={period} value={period}>{`Submitted ${words}`}</option>
          ))}
        </select>
      </label>
      <label className="row small">
        <span className="hidden-text">Task</span>
        <select
          value={search.task}
          onChange={({ target }) => onChange({ ...search, task: target.value })}
        >
          <option value="">Any task</option>
          {search.task !== '' && !keys.includes(search.task) && (
            <option value={search.task}>{search.task}</option>
          )}
          {keys.map((key) => (
            <option key={key} value={key}>
              {key}
            </option>
          ))}
        </select>
      </label>
      <StateCounts search={search} onChange={onChange} />
      {chips.length > 0 && (
        <ul className="row" aria-label="Conditions">
          {chips.map((chip) => (
            <ChipItem
              key={`${chip.name} ${chip.value} ${chip.excluded}`}
              chip={chip}
              search={search}
              onChange={onChange}
            />
          ))}
          <li>
            <button
              type="button"
              className="button plain small"
              onClick={() => onChange(chips.reduce(withoutChip, search))}
            >
              Clear all
            </button>
          </li>
        </ul>
      )}
    </section>
  );
}

function SearchBox({ keys, onTyped }: { keys: readonly string[]; onTyped: (chip: Chip) => void }) {
  const id = useId();
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    onTyped(readTyped(text, keys));
    setText('');
  };
  return (
    <form className="search" role="search" onSubmit={submit}>
      <label className="hidden-text" htmlFor={id}>
        Search by id, label, task or error
      </label>
      <input
        id={id}
        className="input"
        type="search"
        list={`${id}-tasks`}
        maxLength={200}
        placeholder="Id, label:value, task or words of an error"
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      <datalist id={`${id}-tasks`}>
        {keys.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      <button type="submit" className="button">
        Search
      </button>
    </form>
  );
}

/** The states as switches, with how many jobs each would show. */
function StateCounts({
  search,
  onChange,
}: {
  search: JobsSearch;
  onChange: (next: JobsSearch) => void;
}) {
  const summary = useSummary(search);
  const waiting = summary?.oldest_waiting_seconds;
  return (
    <div className="row states" role="group" aria-label="States">
      {STATES.map((state) => {
        const shown = search.status.includes(state);
        const chip: Chip = { name: 'status', value: state, excluded: false };
        const count = summary?.by_status[state] ?? 0;
        return (
          <button
            key={state}
            type="button"
            className="state-switch"
            aria-pressed={shown}
            onClick={() => onChange(shown ? withoutChip(search, chip) : withChip(search, chip))}
          >
            {STATUS_WORDS[state]}{' '}
            <b>
              {summary === undefined ? '–' : countWords(count) + (summary.truncated ? '+' : '')}
            </b>
          </button>
        );
      })}
      {waiting !== undefined && waiting >= 1 && (
        <span className="small soft">{`Oldest waits ${durationWords(waiting)}`}</span>
      )}
    </div>
  );
}

/** Counts of what the other conditions leave, whatever the state. */
function useSummary(search: JobsSearch): JobSummary | undefined {
  const api = useApi();
  const live = useLive();
  const client = useQueryClient();
  const anyState = { ...search, status: [], exclude_status: [] };
  const key = ['summary', api.org, JSON.stringify({ ...anyState, sort: '' })];
  const { data } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.client.summary(filterOf(anyState), { signal }),
    placeholderData: (before) => before,
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const end = live.subscribe(() => {
      timer ??= setTimeout(() => {
        timer = null;
        void client.invalidateQueries({ queryKey: ['summary', api.org] });
      }, COUNTS_EVERY_MS);
    });
    return () => {
      end();
      if (timer !== null) clearTimeout(timer);
    };
  }, [live, client, api]);
  return data;
}

const NAMES = { status: 'state', task: 'task', label: 'label', since: 'submitted', q: 'search' };

function ChipItem({
  chip,
  search,
  onChange,
}: {
  chip: Chip;
  search: JobsSearch;
  onChange: (next: JobsSearch) => void;
}) {
  const { name, value, excluded } = chip;
  const shown =
    name === 'status'
      ? STATUS_WORDS[value as keyof typeof STATUS_WORDS]
      : name === 'since'
        ? PERIODS[value as keyof typeof PERIODS].words
        : value;
  const canExclude = name === 'status' || name === 'task' || name === 'label';
  return (
    <li className="chip">
      <span className="soft">{NAMES[name]}</span>
      {canExclude ? (
        <button
          type="button"
          className="chip-turn"
          aria-label={`${NAMES[name]} ${excluded ? 'is not' : 'is'} ${shown}: turn around`}
          onClick={() =>
            onChange(withChip(withoutChip(search, chip), { ...chip, excluded: !excluded }))
          }
        >
          {excluded ? 'is not' : 'is'}
        </button>
      ) : (
        <span className="soft">{name === 'q' ? 'has' : ''}</span>
      )}
      <b>
        <bdi>{shown}</bdi>
      </b>
      <button
        type="button"
        className="chip-remove"
        aria-label={`Remove the condition on ${NAMES[name]} ${shown}`}
        onClick={() => onChange(withoutChip(search, chip))}
      >
        ×
      </button>
    </li>
  );
}
