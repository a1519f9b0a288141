import { useQueryClient } from '@tanstack/react-query';
import { ConnectionError, RequestError } from 'headframe-client';
import { useEffect, useState } from 'react';

/**
 * Says that the service does not answer, for as long as it does not: what the pages show is what was
 * known last.
 */
export function ConnectionNotice() {
  const trouble = useTrouble();
  return (
    <div role="status" aria-live="polite">
      {trouble !== null && <p className="notice">{trouble}</p>}
    </div>
  );
}

function useTrouble(): string | null {
  const client = useQueryClient();
  const [trouble, setTrouble] = useState<string | null>(null);
  const [offline, setOffline] = useState(!navigator.onLine);
  useEffect(() => {
    const cache = client.getQueryCache();
    const look = () =>
      setTrouble(
        cache
          .findAll({ type: 'active' })
          .map(({ state }) => wordsFor(state.fetchFailureReason ?? state.error))
          .find((words) => words !== null) ?? null,
      );
    const on = () => setOffline(false);
    const off = () => setOffline(true);
    window.addEventListener('online', on);
    window.addEventListener('offline', off);
    const end = cache.subscribe(look);
    return () => {
      end();
      window.removeEventListener('online', on);
      window.removeEventListener('offline', off);
    };
  }, [client]);
  return offline ? 'You are offline. The page shows what was known last.' : trouble;
}

function wordsFor(error: unknown): string | null {
  if (error instanceof ConnectionError) {
    return 'The service does not answer. Reconnecting; the page shows what was known last.';
  }
  if (error instanceof RequestError && error.status === 429) {
    const seconds = error.retryAfterSeconds ?? 1;
    return `Too many requests for this organization. Asking again in ${seconds} s.`;
  }
  if (error instanceof RequestError && [502, 503, 504].includes(error.status)) {
    return 'The service is not available at the moment. Reconnecting.';
  }
  return null;
}
