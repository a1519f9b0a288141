import { useState } from 'react';
import { useMay } from '../api/api-context.js';
import { plural } from '../format/number-words.js';
import { type BulkAct, BulkDialog, type Target } from './bulk-dialog.js';
import { chipsOf, type JobsSearch } from './job-filter.js';

/** What can be done with many jobs: those that are selected, or all that the filter leaves. */
export function BulkBar({
  search,
  selected,
  onDone,
  onClear,
}: {
  search: JobsSearch;
  selected: ReadonlySet<string>;
  onDone: () => void;
  onClear: () => void;
}) {
  const mayPurge = useMay('compute:admin');
  const [open, setOpen] = useState<{ act: BulkAct; target: Target } | null>(null);
  const target: Target = selected.size > 0 ? { ids: [...selected] } : { search };
  const act = (name: BulkAct) => () => setOpen({ act: name, target });
  const filtered = chipsOf(search).length > 0;
  return (
    <div className="row bulk" role="group" aria-label="Acts on many jobs">
      <span className="small soft" role="status">
        {selected.size > 0
          ? `${plural(selected.size, 'job')} selected`
          : filtered
            ? 'All that match'
            : 'All jobs'}
      </span>
      {selected.size > 0 && (
        <button type="button" className="button small plain" onClick={onClear}>
          Select none
        </button>
      )}
      <button type="button" className="button small" onClick={act('cancel')}>
        Cancel …
      </button>
      <button type="button" className="button small" onClick={act('rerun')}>
        Run again …
      </button>
      {mayPurge && (
        <button type="button" className="button small" onClick={act('purge')}>
          Delete …
        </button>
      )}
      {open !== null && (
        <BulkDialog
          act={open.act}
          target={open.target}
          onClose={() => setOpen(null)}
          onDone={onDone}
        />
      )}
    </div>
  );
}
