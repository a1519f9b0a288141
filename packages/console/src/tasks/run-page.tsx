import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import type { Search } from '../app/address.js';
import { textOf } from '../app/address.js';
import { useApi } from '../api/api-context.js';
import type { TaskEntry } from '../api/organization-api.js';
import { at } from '../document/place.js';
import { type Packed, unpack } from '../document/packed.js';
import { useDocument } from '../document/use-document.js';
import { DocumentState } from '../document/document-state.js';
import { beginningOf } from '../form/json-schema.js';
import { Empty, Failed, Loading } from '../ui/page-state.js';
import { useTitle } from '../ui/use-title.js';
import { readDraft } from './draft.js';
import { RunForm } from './run-form.js';

/** A task: what it does, and a form to run it. */
export default function RunPage() {
  const { topic, task } = useParams({ strict: false }) as Record<'topic' | 'task', string>;
  const key = `${topic}/${task}`;
  const from = textOf((useSearch({ strict: false }) as Search).from);
  const api = useApi();
  const { data, error, refetch } = useQuery({
    queryKey: ['catalogue', api.org],
    queryFn: ({ signal }) => api.catalogue(signal),
    staleTime: 60_000,
  });
  const entry = data?.find((each) => each.key === key);
  useTitle(entry?.display_name ?? key);
  if (data === undefined) {
    return error === null ? (
      <Loading what="the task" />
    ) : (
      <Failed error={error} onRetry={() => void refetch()} />
    );
  }
  if (entry === undefined) {
    return (
      <Empty title="There is no such task">
        <p>{`The service offers no ${key} to your organization.`}</p>
      </Empty>
    );
  }
  return from === '' ? (
    <RunForm
      key={key}
      entry={entry}
      first={readDraft(api.org, key) ?? beginning(entry)}
      before={null}
    />
  ) : (
    <FromJob key={from} entry={entry} id={from} />
  );
}

/** The form filled in with what another job was given. */
function FromJob({ entry, id }: { entry: TaskEntry; id: string }) {
  const document = useDocument(`${entry.key}/${id}/parameters`);
  const given = document.data === undefined ? undefined : at(document.data.body, 'parameters');
  if (given === undefined)
    return <DocumentState document={document} what="what the job was given" />;
  return (
    <RunForm
      entry={entry}
      // Short lists are plain again, so that they can be edited; long ones stay packed.
      first={editable(given) as Record<string, unknown>}
      before={{ id, parameters: given }}
    />
  );
}

const beginning = (entry: TaskEntry): Record<string, unknown> =>
  (beginningOf(entry.parameters, entry.parameters) as Record<string, unknown> | undefined) ?? {};

const MOST_EDITED = 4_000;

function editable(value: Packed): unknown {
  if (value instanceof Float64Array || value instanceof Map) {
    const size =
      value instanceof Float64Array ? value.length : (value.get('values') as Float64Array).length;
    return size > MOST_EDITED ? value : unpack(value);
  }
  if (Array.isArray(value)) return value.map((each: Packed) => editable(each));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value as Record<string, Packed>).map(([name, each]) => [name, editable(each)]),
    );
  }
  return value;
}
