import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { RequestError } from 'headframe-client';
import { type FormEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useApi, useMay } from '../api/api-context.js';
import type { TaskEntry } from '../api/organization-api.js';
import type { Packed } from '../document/packed.js';
import { unpack } from '../document/packed.js';
import { type FieldFault, FormProvider, idOf } from '../form/form-context.js';
import { SchemaField } from '../form/schema-field.js';
import { byteWords } from '../format/number-words.js';
import { Differences } from '../job/differences.js';
import { differencesOf } from '../job/find-differences.js';
import { tellError } from '../ui/error-words.js';
import { Markdown } from '../ui/markdown.js';
import { CallSnippets } from './call-snippets.js';
import { dropDraft, keepDraft } from './draft.js';
import { JsonEditor } from './json-editor.js';
import { hasMeuseExample, meuseExample } from './meuse-example.js';
import { RunOptions, type RunOptionsValue } from './run-options.js';

const KEEP_AFTER_MS = 600;
/** Faults that are told above the form; the fields tell the others. */
const MOST_TOLD = 8;

/** The form of a task's parameters, or its JSON; and what else a job may be asked for. */
export function RunForm({
  entry,
  first,
  before,
}: {
  entry: TaskEntry;
  first: Record<string, unknown>;
  /** The job whose parameters these were. */
  before: { readonly id: string; readonly parameters: Packed } | null;
}) {
  const api = useApi();
  const id = useId().replaceAll(':', '');
  const navigate = useNavigate();
  const mayRun = useMay('compute:execute');
  const [value, setValue] = useState(first);
  const [options, setOptions] = useState<RunOptionsValue>({ labels: '' });
  const [mode, setMode] = useState<'form' | 'json'>('form');
  const [faults, setFaults] = useState<readonly FieldFault[]>([]);
  const summary = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(
      () => value !== first && keepDraft(api.org, entry.key, value),
      KEEP_AFTER_MS,
    );
    return () => clearTimeout(timer);
  }, [api.org, entry.key, value, first]);

  const submit = useMutation({
    mutationFn: () =>
      api.client.submit(entry.key, unpack(value as Packed) as object, {
        options: optionsOf(options, before?.id),
        preview: entry.feature_flag !== undefined,
      }),
    onMutate: () => setFaults([]),
    onSuccess: (job) => {
      dropDraft(api.org, entry.key);
      return navigate({
        to: '/$org/jobs/$topic/$task/$id',
        params: { org: api.org, topic: entry.topic, task: entry.name, id: job.id },
      });
    },
    onError: (error) => {
      setFaults(faultsIn(error));
      requestAnimationFrame(() => summary.current?.focus());
    },
  });
  const load = useMutation({
    mutationFn: () => meuseExample(entry.key),
    onSuccess: (example) => setValue(example),
  });
  const context = useMemo(() => ({ root: entry.parameters, faults, id }), [entry, faults, id]);
  const changes = useMemo(
    () => (before === null ? null : differencesOf(before.parameters, value as Packed)),
    [before, value],
  );
  const send = (event: FormEvent) => {
    event.preventDefault();
    submit.mutate();
  };

  return (
    <form onSubmit={send} noValidate className="stack">
      <div className="page-head">
        <div>
          <h1>{entry.display_name}</h1>
          <p className="small soft mono">{`${entry.key} ${entry.version}`}</p>
        </div>
        <div className="row">
          {hasMeuseExample(entry.key) && (
            <button
              type="button"
              className="button"
              disabled={load.isPending}
              onClick={() => load.mutate()}
            >
              Load the Meuse example
            </button>
          )}
          {entry.example !== undefined && (
            <button
              type="button"
              className="button"
              onClick={() => setValue(structuredClone(entry.example) as Record<string, unknown>)}
            >
              Load the small example
            </button>
          )}
          <div className="switch" role="group" aria-label="How to edit">
            <button type="button" aria-pressed={mode === 'form'} onClick={() => setMode('form')}>
              Form
            </button>
            <button type="button" aria-pressed={mode === 'json'} onClick={() => setMode('json')}>
              JSON
            </button>
          </div>
        </div>
      </div>
      <div className="small">
        <Markdown text={entry.description} />
      </div>
      {load.error !== null && <p role="alert">{tellError(load.error)}</p>}
      <div ref={summary} tabIndex={-1}>
        {submit.error !== null && (
          <Refusal
            error={submit.error}
            faults={faults}
            addressOf={(place) => `${location.pathname}${location.search}#${idOf(id, place)}`}
          />
        )}
      </div>
      <div className="columns">
        <section className="panel" aria-label="Parameters">
          {mode === 'form' ? (
            <FormProvider value={context}>
              <SchemaField
                schema={entry.parameters}
                value={value}
                onChange={(next) => setValue((next as Record<string, unknown> | undefined) ?? {})}
                place=""
                label="Parameters"
                required
              />
            </FormProvider>
          ) : (
            <JsonEditor value={value} onChange={setValue} />
          )}
        </section>
        <div>
          <section className="panel" aria-label="Run">
            <h2>Run</h2>
            <RunOptions value={options} onChange={setOptions} />
            <SizeHint value={value} />
            {mayRun ? (
              <button type="submit" className="button primary" disabled={submit.isPending}>
                {submit.isPending ? 'Submitting …' : 'Run task'}
              </button>
            ) : (
              <p className="soft">Your token may not run tasks: it lacks the scope to execute.</p>
            )}
          </section>
          {changes !== null && (
            <section className="panel" aria-label="Changes">
              <h2>Changed since the other job</h2>
              <Differences differences={changes} names={['before', 'now']} />
            </section>
          )}
          <CallSnippets entry={entry} org={api.org} value={value} />
        </div>
      </div>
    </form>
  );
}

function Refusal({
  error,
  faults,
  addressOf,
}: {
  error: unknown;
  faults: readonly FieldFault[];
  addressOf: (place: string) => string;
}) {
  return (
    <div className="callout bad" role="alert">
      <p>{tellError(error)}</p>
      {faults.length > 0 && (
        <ul className="bullets">
          {faults.slice(0, MOST_TOLD).map(({ place, reason }) => (
            <li key={place}>
              <a href={addressOf(place)}>{place}</a>: {reason}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What is told when so much is sent that the service may not take it. */
function SizeHint({ value }: { value: unknown }) {
  const bytes = useMemo(() => sizeOf(value as Packed), [value]);
  return bytes > 4_000_000 ? (
    <p className="small soft">{`About ${byteWords(bytes)} are sent. The service takes 8 MB, unless its operator says otherwise.`}</p>
  ) : null;
}

/** About how many bytes a document has as JSON, without printing it. */
function sizeOf(value: Packed): number {
  if (value instanceof Float64Array) return value.length * 18;
  if (value instanceof Map) return (value.get('values') as Float64Array).length * 18;
  if (Array.isArray(value))
    return value.reduce((sum: number, each: Packed) => sum + sizeOf(each) + 1, 2);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).reduce(
      (sum, [name, each]) => sum + name.length + 4 + sizeOf(each as Packed),
      2,
    );
  }
  return typeof value === 'string' ? value.length + 2 : 10;
}

/** Where the service found what is wrong, as the fields of the form are named. */
function faultsIn(error: unknown): FieldFault[] {
  if (!(error instanceof RequestError)) return [];
  return (error.problem['invalid-params'] ?? [])
    .filter(({ name }) => name.startsWith('parameters'))
    .map(({ name, reason }) => ({ place: name.replace(/^parameters\.?/, ''), reason }));
}

function optionsOf({ labels, priority, run_after }: RunOptionsValue, before: string | undefined) {
  const pairs = labels
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
  const all = Object.fromEntries([
    ...pairs,
    ...(before === undefined ? [] : [['rerun-of', before]]),
  ]) as Record<string, string>;
  return {
    ...(Object.keys(all).length > 0 && { labels: all }),
    ...(priority !== undefined && { priority }),
    ...(run_after !== undefined && { run_after }),
  };
}
