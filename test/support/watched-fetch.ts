/** One request that was sent, and what came of it. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  /** The code of the answer; null when none came. */
  readonly status: number | null;
}

/** The real `fetch`, and a list of what went through it. */
export function watchedFetch(onSent: (sent: Sent) => void = () => undefined): {
  readonly fetch: typeof fetch;
  readonly sent: readonly Sent[];
} {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: async (input, init = {}) => {
      const request = new Request(input, init);
      const note = (status: number | null) => {
        const { pathname } = new URL(request.url);
        const each = { method: request.method, path: pathname, headers: request.headers, status };
        sent.push(each);
        onSent(each);
      };
      try {
        const response = await fetch(input, init);
        note(response.status);
        return response;
      } catch (error) {
        note(null);
        throw error;
      }
    },
  };
}
