import { useLiveState } from './live-state.js';

const WORDS = {
  live: 'Live',
  polling: 'Updating every few seconds',
  connecting: 'Connecting',
  paused: 'Paused',
} as const;

/** Tells whether the page follows what happens. */
export function LiveSign() {
  const state = useLiveState();
  return (
    <span className="live" data-state={state} title={WORDS[state]}>
      <span>{WORDS[state]}</span>
    </span>
  );
}
