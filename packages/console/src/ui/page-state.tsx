import type { ReactNode } from 'react';
import { tellError } from './error-words.js';

/** What is shown instead of data that is not there yet. */
export function Loading({ what }: { what: string }) {
  return (
    <div className="state" role="status">
      <p>{`Loading ${what} …`}</p>
    </div>
  );
}

/** What is shown when there is nothing to show. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What is shown when the data cannot be had. */
export function Failed({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div className="state" role="alert">
      <h2>This could not be loaded</h2>
      <p>{tellError(error)}</p>
      {onRetry !== undefined && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
