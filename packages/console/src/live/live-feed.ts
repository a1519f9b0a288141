import type { Change } from 'headframe-client';
import type { OrganizationApi } from '../api/organization-api.js';
import { setLiveState } from './live-state.js';

/** Until the stream is asked for again after it broke; doubled each time, and a little different. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 20_000;

type Listener = (change: Change) => void;

/** The changes of an organization's jobs, for all that is on the page: one stream, however many listen. */
export class LiveFeed {
  private readonly listeners = new Set<Listener>();
  private running: AbortController | null = null;

  constructor(private readonly api: OrganizationApi) {}

  /** @returns a function that ends it */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  resume(): void {
    if (this.running !== null) return;
    this.running = new AbortController();
    setLiveState('connecting');
    void this.run(this.running.signal);
  }

  pause(): void {
    this.running?.abort();
    this.running = null;
    setLiveState('paused');
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        for await (const change of this.api.client.changes({}, { signal })) {
          failures = 0;
          if (change.type === 'reset') setLiveState(change.live ? 'live' : 'polling');
          this.listeners.forEach((listener) => listener(change));
        }
      } catch {
        // What is wrong is told where the page asks for its data; here is only to try again.
      }
      if (signal.aborted) return;
      setLiveState('connecting');
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
      await after(pause * (1 + Math.random() * 0.3), signal);
    }
  }
}

function after(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
