import { QueryClient } from '@tanstack/react-query';
import { ConnectionError, RequestError } from 'headframe-client';

const LONGEST_PAUSE_MS = 30_000;
const MAX_TRIES = 4;

/** What passes by itself: no connection, too many requests, a replica that restarts. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ConnectionError ||
  (error instanceof RequestError && [429, 502, 503, 504].includes(error.status));

/** Asks again what may pass, as late as the service wants to be asked. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) => failures < MAX_TRIES && isPassing(error),
      retryDelay: (failures, error) => {
        const asked = error instanceof RequestError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
        return Math.min(Math.max(asked, 500 * 2 ** failures), LONGEST_PAUSE_MS);
      },
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});
