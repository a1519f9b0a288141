import { useMutation, useQuery } from '@tanstack/react-query';
import type { BulkOptions, BulkOutcome, JobSelection, JobState } from 'headframe-client';
import { type FormEvent, useId, useState } from 'react';
import { Link } from '@tanstack/react-router';
import { useApi, useMay } from '../api/api-context.js';
import type { OrganizationApi } from '../api/organization-api.js';
import { countWords, plural } from '../format/number-words.js';
import { Dialog } from '../ui/dialog.js';
import { tellError } from '../ui/error-words.js';
import { filterOf, type JobsSearch, showsState } from './job-filter.js';

export type BulkAct = 'cancel' | 'rerun' | 'purge';
export type Target = { readonly ids: readonly string[] } | { readonly search: JobsSearch };

/** Above this many, the number has to be typed: a slip of the hand must not stop a night's work. */
const TYPED_ABOVE = 100;
/** Most ids of one request. */
const IDS_AT_ONCE = 1_000;
/** What an act has an effect on. */
const STATES_OF: Readonly<Record<BulkAct, readonly JobState[]>> = {
  cancel: ['requested', 'in progress'],
  rerun: ['succeeded', 'failed', 'canceled'],
  purge: ['succeeded', 'failed', 'canceled'],
};
const WORDS = {
  cancel: { title: 'Cancel jobs', verb: 'Cancel', done: 'canceled', none: 'is waiting or running' },
  rerun: { title: 'Run jobs again', verb: 'Run again', done: 'submitted again', none: 'has ended' },
  purge: { title: 'Delete jobs', verb: 'Delete', done: 'deleted', none: 'has ended' },
} as const;

/** Counts first, asks, and then does it, in as many requests as it takes. */
export function BulkDialog({
  act,
  target,
  onClose,
  onDone,
}: {
  act: BulkAct;
  target: Target;
  onClose: () => void;
  onDone: () => void;
}) {
  const api = useApi();
  const id = useId();
  const mayAdminister = useMay('compute:admin');
  const words = WORDS[act];
  const [typed, setTyped] = useState('');
  const [progress, setProgress] = useState(0);
  const [selections] = useState(() => selectionsOf(act, target));
  const count = useQuery({
    queryKey: ['bulk', api.org, act, JSON.stringify(target)],
    queryFn: async ({ signal }) => {
      const outcomes = [];
      for (const each of selections) {
        outcomes.push(await perform(api, act, each, { signal, dryRun: true }));
      }
      return total(outcomes);
    },
    gcTime: 0,
  });
  const work = useMutation({
    mutationFn: async () => {
      let changed = 0;
      for (const each of selections) {
        let outcome: BulkOutcome;
        do {
          outcome = await perform(api, act, each, {});
          changed += outcome.changed;
          setProgress(changed);
          // Jobs that were run again match as before: a second request would run them once more.
        } while (outcome.more && outcome.changed > 0 && act !== 'rerun');
      }
      return changed;
    },
    onSuccess: onDone,
  });
  const matched = count.data?.matched ?? 0;
  const asksForNumber = matched > TYPED_ABOVE;
  const confirmed = !asksForNumber || typed.replaceAll(/\D/g, '') === String(matched);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (confirmed && matched > 0) work.mutate();
  };

  return (
    <Dialog title={words.title} onClose={work.isPending ? null : onClose}>
      {work.isSuccess ? (
        <>
          <p role="status">{`${plural(work.data, 'job')} ${words.done}.`}</p>
          {mayAdminister && (
            <Link
              to="/$org/admin"
              params={{ org: api.org }}
              search={{ action: `jobs.${act}` } as never}
            >
              Show it in the audit log
            </Link>
          )}
        </>
      ) : count.isError ? (
        <p role="alert">{tellError(count.error)}</p>
      ) : count.isPending ? (
        <p role="status">Counting …</p>
      ) : matched === 0 ? (
        <p role="status">{`None of these jobs ${words.none}: there is nothing to do.`}</p>
      ) : (
        <form onSubmit={submit} className="stack">
          <p>
            {`${countWords(matched)}${count.data.more ? ' or more' : ''} ${matched === 1 ? 'job' : 'jobs'} would be ${words.done}.`}{' '}
            {act === 'purge' &&
              'Parameters, results and logs are gone then; this cannot be undone.'}
            {act === 'rerun' &&
              'Each new job gets the same parameters and options, and the label rerun-of.'}
          </p>
          {asksForNumber && (
            <div className="field">
              <label htmlFor={id}>{`Type ${matched} to confirm`}</label>
              <input
                id={id}
                className="input"
                inputMode="numeric"
                autoComplete="off"
                value={typed}
                onChange={({ target: { value } }) => setTyped(value)}
              />
            </div>
          )}
          {work.isPending && <progress value={progress} max={matched} aria-label="Jobs done" />}
          {work.isError && (
            <p className="callout bad" role="alert">
              {`After ${plural(progress, 'job')}: ${tellError(work.error)}`}
            </p>
          )}
          <div className="row end">
            <button
              type="submit"
              className={act === 'rerun' ? 'button primary' : 'button danger primary'}
              disabled={!confirmed || work.isPending}
            >
              {`${words.verb} ${plural(matched, 'job')}`}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

/** What to send: with a filter only the states that the act has an effect on, so that it is never empty. */
function selectionsOf(act: BulkAct, target: Target): JobSelection[] {
  if ('ids' in target) {
    return Array.from({ length: Math.ceil(target.ids.length / IDS_AT_ONCE) }, (_, part) => ({
      ids: target.ids.slice(part * IDS_AT_ONCE, (part + 1) * IDS_AT_ONCE),
    }));
  }
  const states = STATES_OF[act].filter((state) => showsState(target.search, state));
  if (states.length === 0) return [];
  const { exclude_status: _, ...filter } = filterOf(target.search);
  return [{ filter: { ...filter, status: states } }];
}

function perform(
  { client }: OrganizationApi,
  act: BulkAct,
  selection: JobSelection,
  options: BulkOptions,
): Promise<BulkOutcome> {
  switch (act) {
    case 'cancel':
      return client.cancelJobs(selection, options);
    case 'rerun':
      return client.rerunJobs(selection, options);
    case 'purge':
      return client.purgeJobs(selection, options);
    default:
      return act satisfies never;
  }
}

function total(outcomes: readonly BulkOutcome[]): Pick<BulkOutcome, 'matched' | 'more'> {
  return {
    matched: outcomes.reduce((sum, { matched }) => sum + matched, 0),
    more: outcomes.some(({ more }) => more),
  };
}
