import type { Job } from 'headframe-client';
import { at } from '../document/place.js';
import { Tree } from '../document/tree.js';
import type { useDocument } from '../document/use-document.js';
import { DocumentState } from '../document/document-state.js';
import { DocumentTools } from '../document/document-tools.js';

/** What a job was given, as a tree. @param place where its problem lies */
export function JobParameters({
  job,
  document,
  place,
}: {
  job: Job;
  document: ReturnType<typeof useDocument>;
  place: string | undefined;
}) {
  const path = `${job.task}/${job.id}/parameters`;
  return (
    <section className="panel" aria-label="Parameters">
      <div className="panel-head">
        <h2>Parameters</h2>
        <DocumentTools
          path={path}
          name={`${job.id}-parameters.json`}
          document={document.data}
          member="parameters"
        />
      </div>
      {document.data === undefined ? (
        <DocumentState document={document} what="the parameters" />
      ) : (
        <Tree
          key={place ?? ''}
          name="parameters"
          value={at(document.data.body, 'parameters') ?? null}
          {...(place !== undefined && { place })}
        />
      )}
    </section>
  );
}
