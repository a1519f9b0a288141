import { byteWords } from '../format/number-words.js';
import { Failed } from '../ui/page-state.js';
import { TooLargeError } from './load-document.js';
import type { useDocument } from './use-document.js';

/** What stands where a document is not there yet, or cannot be shown. */
export function DocumentState({
  document: { error, bytesLoaded, refetch },
  what,
}: {
  document: ReturnType<typeof useDocument>;
  what: string;
}) {
  if (error instanceof TooLargeError) {
    return <p className="callout info">{error.message}</p>;
  }
  if (error !== null) return <Failed error={error} onRetry={() => void refetch()} />;
  return (
    <p className="soft" role="status">
      {bytesLoaded > 0
        ? `Loading ${what}: ${byteWords(bytesLoaded)} so far …`
        : `Loading ${what} …`}
    </p>
  );
}
