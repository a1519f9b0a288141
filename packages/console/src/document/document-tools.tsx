import { useMutation } from '@tanstack/react-query';
import { useApi } from '../api/api-context.js';
import { byteWords } from '../format/number-words.js';
import { CopyButton } from '../ui/copy-button.js';
import { tellError } from '../ui/error-words.js';
import { saveFile } from '../ui/save-file.js';
import type { LoadedDocument } from './load-document.js';
import { unpack } from './packed.js';
import { at } from './place.js';

/** Longer texts make a clipboard, and what they are pasted into, stand still. */
const MOST_COPIED = 4_000_000;

/** Copies or saves a document of a job. The file has the bytes that the service keeps. */
export function DocumentTools({
  path,
  name,
  document,
  member,
}: {
  path: string;
  name: string;
  document: LoadedDocument | undefined;
  member: string;
}) {
  const api = useApi();
  const save = useMutation({
    mutationFn: async () => saveFile(name, await api.file(path)),
  });
  return (
    <div className="row">
      {document !== undefined && <span className="small soft">{byteWords(document.bytes)}</span>}
      {document !== undefined && document.bytes <= MOST_COPIED && (
        <CopyButton
          label="Copy JSON"
          text={() => JSON.stringify(unpack(at(document.body, member) ?? null), null, 2)}
        />
      )}
      <button
        type="button"
        className="button small"
        disabled={save.isPending}
        onClick={() => save.mutate()}
      >
        {save.isPending ? 'Downloading …' : 'Download'}
      </button>
      {save.error !== null && (
        <span className="fault small" role="alert">
          {tellError(save.error)}
        </span>
      )}
    </div>
  );
}
