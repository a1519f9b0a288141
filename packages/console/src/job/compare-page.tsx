import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useId, useMemo, useState } from 'react';
import type { Search } from '../app/address.js';
import { textOf } from '../app/address.js';
import { useApi } from '../api/api-context.js';
import { DocumentState } from '../document/document-state.js';
import { at } from '../document/place.js';
import { useDocument } from '../document/use-document.js';
import { tellError } from '../ui/error-words.js';
import { useTitle } from '../ui/use-title.js';
import { Differences } from './differences.js';
import { differencesOf } from './find-differences.js';

/** What differs between the parameters of two jobs. */
export default function ComparePage() {
  useTitle('Compare');
  const search = useSearch({ strict: false }) as Search;
  const [a, b] = [textOf(search.a), textOf(search.b)];
  return (
    <>
      <h1>Compare two jobs</h1>
      <Choose first={a} second={b} />
      {a !== '' && b !== '' && <Comparison key={`${a} ${b}`} a={a} b={b} />}
    </>
  );
}

function Choose({ first, second }: { first: string; second: string }) {
  const api = useApi();
  const id = useId();
  const navigate = useNavigate();
  const [text, setText] = useState(second.split('/').at(-1) ?? '');
  const [fault, setFault] = useState<string | null>(null);
  const find = async (event: FormEvent) => {
    event.preventDefault();
    setFault(null);
    try {
      const { jobs } = await api.client.listPage({ q: text.trim() }, { limit: 1 });
      const [job] = jobs;
      if (job === undefined) setFault('There is no such job: paste its whole id.');
      else {
        await navigate({
          to: '/$org/compare',
          params: { org: api.org },
          search: { a: first, b: `${job.task}/${job.id}` } as never,
        });
      }
    } catch (error) {
      setFault(tellError(error));
    }
  };
  return (
    <form className="panel" onSubmit={(event) => void find(event)}>
      <p className="mono small">{first}</p>
      <div className="field">
        <label htmlFor={id}>Id of the other job</label>
        <div className="search">
          <input
            id={id}
            className="input mono"
            value={text}
            aria-describedby={`${id}-fault`}
            onChange={({ target }) => setText(target.value)}
          />
          <button type="submit" className="button primary">
            Compare
          </button>
        </div>
        <p className="fault" id={`${id}-fault`} role="alert">
          {fault}
        </p>
      </div>
    </form>
  );
}

function Comparison({ a, b }: { a: string; b: string }) {
  const [one, other] = [useDocument(`${a}/parameters`), useDocument(`${b}/parameters`)];
  const found = useMemo(
    () =>
      one.data === undefined || other.data === undefined
        ? null
        : differencesOf(
            at(one.data.body, 'parameters') ?? null,
            at(other.data.body, 'parameters') ?? null,
          ),
    [one.data, other.data],
  );
  if (found === null) {
    return <DocumentState document={one.data === undefined ? one : other} what="the parameters" />;
  }
  return (
    <section className="panel" aria-label="Differences">
      <h2>Parameters that differ</h2>
      <Differences differences={found} names={[a.slice(-8), b.slice(-8)]} />
    </section>
  );
}
