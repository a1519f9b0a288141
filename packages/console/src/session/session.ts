import { RequestError } from 'headframe-client';
import { useSyncExternalStore } from 'react';
import { consoleRequest } from '../api/console-request.js';

/** What a token allows. */
export type Scope = 'compute:read' | 'compute:execute' | 'compute:admin';

/** Whom the token is for, as the service reads it. */
export interface Session {
  readonly token: string;
  readonly subject: string;
  readonly organizations: readonly string[];
  readonly scopes: readonly Scope[];
  /** Of the page's own steady clock, `performance.now()`: the clock on the wall may be wrong. */
  readonly endsAt: number;
}

export type SessionState =
  | { readonly kind: 'checking' }
  | { readonly kind: 'out' }
  | { readonly kind: 'in'; readonly session: Session }
  /** The pages stay as they are, with what was typed, until somebody signs in again. */
  | { readonly kind: 'expired'; readonly session: Session };

/** Of this tab alone, and gone with it. Never in an address, a cookie or a longer-lived storage. */
const KEY = 'headframe.token';
/** Timers of browsers count no further. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

let state: SessionState = { kind: 'checking' };
let expiry: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** The session, and what it becomes. */
export function useSession(): SessionState {
  return useSyncExternalStore(subscribe, () => state);
}

export const currentSession = (): SessionState => state;

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes up the session of this tab after a reload. */
export async function resumeSession(): Promise<void> {
  const token = sessionStorage.getItem(KEY);
  if (token === null) {
    become({ kind: 'out' });
    return;
  }
  try {
    await signIn(token);
  } catch (error) {
    // Only the service's own word ends a session: it may be out of reach for a moment.
    if (error instanceof RequestError && error.status === 401) sessionStorage.removeItem(KEY);
    become({ kind: 'out' });
    throw error;
  }
}

/**
 * Begins a session, or goes on with the one that has expired.
 * @throws RequestError when the service does not take the token, ConnectionError when it is out of reach
 */
export async function signIn(pasted: string): Promise<void> {
  const token = pasted.trim().replace(/^bearer\s+/i, '');
  const { expires_in, ...told } = await consoleRequest<
    Omit<Session, 'token' | 'endsAt'> & { expires_in: number }
  >('session', { token });
  sessionStorage.setItem(KEY, token);
  const session = { ...told, token, endsAt: performance.now() + expires_in * 1_000 };
  become({ kind: 'in', session });
  clearTimeout(expiry);
  expiry = setTimeout(endSession, Math.min(expires_in * 1_000, LONGEST_TIMER_MS));
}

/** The token is good no more, by the service's word or by the clock. */
export function endSession(): void {
  if (state.kind !== 'in') return;
  sessionStorage.removeItem(KEY);
  become({ kind: 'expired', session: state.session });
}

/** The user has had enough: nothing of the session stays. */
export function signOut(): void {
  sessionStorage.clear();
  clearTimeout(expiry);
  become({ kind: 'out' });
}

function become(next: SessionState): void {
  state = next;
  listeners.forEach((listener) => listener());
}
