import { useSyncExternalStore } from 'react';

/** Whether what is shown follows what happens. */
export type LiveState = 'live' | 'polling' | 'connecting' | 'paused';

let state: LiveState = 'paused';
const listeners = new Set<() => void>();

export function setLiveState(next: LiveState): void {
  if (next === state) return;
  state = next;
  listeners.forEach((listener) => listener());
}

export const useLiveState = (): LiveState => useSyncExternalStore(subscribe, () => state);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
