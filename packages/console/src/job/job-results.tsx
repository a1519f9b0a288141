import type { Job } from 'headframe-client';
import { useMemo } from 'react';
import { DocumentState } from '../document/document-state.js';
import { DocumentTools } from '../document/document-tools.js';
import type { Packed } from '../document/packed.js';
import { at } from '../document/place.js';
import { Tree } from '../document/tree.js';
import { useDocument } from '../document/use-document.js';
import { ResultViews } from '../views/result-views.js';
import type { TaskView } from '../views/view-types.js';

/** What a job computed: as the task wants it shown, and whole. */
export function JobResults({
  job,
  views,
  parameters,
}: {
  job: Job;
  views: readonly TaskView[];
  parameters: Packed | undefined;
}) {
  const path = `${job.task}/${job.id}`;
  const document = useDocument(path);
  const results = document.data === undefined ? undefined : at(document.data.body, 'results');
  const whole = useMemo((): Packed | null => {
    if (results === undefined) return null;
    const given = parameters === undefined ? {} : (at(parameters, 'parameters') ?? {});
    return { parameters: given, results };
  }, [results, parameters]);
  // A map needs to know where its values are: it waits for the parameters.
  const isReady = whole !== null && (parameters !== undefined || views.length === 0);
  return (
    <>
      {results !== undefined && <Message results={results} />}
      {isReady && <ResultViews views={views} document={whole} />}
      <section className="panel" aria-label="Results">
        <div className="panel-head">
          <h2>Results</h2>
          <DocumentTools
            path={path}
            name={`${job.id}-results.json`}
            document={document.data}
            member="results"
          />
        </div>
        {results === undefined ? (
          <DocumentState document={document} what="the results" />
        ) : (
          <Tree name="results" value={results} />
        )}
      </section>
    </>
  );
}

/** What the task itself says of its results, and what it warns of. */
function Message({ results }: { results: Packed }) {
  const message = at(results, 'message');
  const warnings = at(results, 'warnings');
  const told = typeof message === 'string' ? message : '';
  const doubts = Array.isArray(warnings) ? (warnings as Packed[]).map(wordsOf) : [];
  // The message may say all of it.
  const others = doubts.filter((doubt) => !told.includes(doubt));
  if (typeof message !== 'string' && doubts.length === 0) return null;
  return (
    <div className={doubts.length > 0 ? 'callout warn' : 'callout info'} role="status">
      {typeof message === 'string' && (
        <p>
          <bdi>{message}</bdi>
        </p>
      )}
      {others.length > 0 && (
        <ul className="bullets">
          {others.map((doubt, index) => (
            <li key={index}>
              <bdi>{doubt}</bdi>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function wordsOf(warning: Packed): string {
  if (typeof warning === 'string') return warning;
  const detail = at(warning, 'detail') ?? at(warning, 'message') ?? at(warning, 'title');
  return typeof detail === 'string' ? detail : JSON.stringify(warning);
}
