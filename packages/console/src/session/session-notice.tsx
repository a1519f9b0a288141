import { useEffect, useState } from 'react';
import { Dialog } from '../ui/dialog.js';
import { SignInForm } from './sign-in-form.js';
import { signOut, useSession } from './session.js';

/** How long before its end a session is said to end. */
const WARN_MS = 5 * 60_000;

/** Says when the session is about to end; once it has, asks to sign in again over the page as it is. */
export function SessionNotice() {
  const state = useSession();
  const left = useTimeLeft(state.kind === 'in' ? state.session.endsAt : null);
  const [renewing, setRenewing] = useState(false);
  useEffect(() => setRenewing(false), [state]);

  if (state.kind === 'expired' || renewing) {
    return (
      <Dialog
        title={state.kind === 'expired' ? 'Your session has expired' : 'Sign in again'}
        onClose={renewing ? () => setRenewing(false) : null}
      >
        <p>
          {state.kind === 'expired'
            ? 'Sign in again to go on. What you typed is still here.'
            : 'What you typed stays here.'}
        </p>
        <SignInForm />
        <button type="button" className="button plain" onClick={signOut}>
          Sign out instead
        </button>
      </Dialog>
    );
  }
  if (left === null || left > WARN_MS) return null;
  return (
    <div className="notice" role="status">
      <span>{`Your session ends in ${tellLeft(left)}.`}</span>
      <button type="button" className="button small" onClick={() => setRenewing(true)}>
        Sign in again
      </button>
    </div>
  );
}

function useTimeLeft(endsAt: number | null): number | null {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (endsAt === null) return undefined;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, [endsAt]);
  return endsAt === null ? null : Math.max(0, endsAt - now);
}

/** Whole minutes, so that a screen reader is not told every second; the last one at once. */
function tellLeft(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes <= 1 ? 'less than a minute' : `${minutes} minutes`;
}
