import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { queryClient } from '../api/query-client.js';
import { CONSOLE_PATH } from '../api/service-address.js';
import { CALLBACK, returnFromProvider } from '../session/provider-sign-in.js';
import { resumeSession, subscribe, currentSession, useSession } from '../session/session.js';
import SignInPage from '../session/sign-in-page.js';
import { tellError } from '../ui/error-words.js';
import { router } from './router.js';

/** Who is here first, then what they want to see. */
export function App() {
  const state = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    begin().catch((error: unknown) => setProblem(tellError(error)));
    return subscribe(() => {
      // What one has seen, the next one need not.
      if (currentSession().kind === 'out') queryClient.clear();
      else void router.invalidate();
    });
  }, []);
  if (state.kind === 'checking') {
    return (
      <p className="starting" role="status">
        Signing in …
      </p>
    );
  }
  return state.kind === 'out' ? (
    <SignInPage problem={problem} />
  ) : (
    <RouterProvider router={router} />
  );
}

let begun: Promise<void> | null = null;

/** Once for the page: a code can be exchanged once. */
function begin(): Promise<void> {
  begun ??= start();
  return begun;
}

async function start(): Promise<void> {
  const isCallback = location.pathname === CONSOLE_PATH + CALLBACK;
  if (!isCallback) return resumeSession();
  try {
    const goOn = await returnFromProvider(new URLSearchParams(location.search));
    router.history.replace(goOn);
  } catch (error) {
    await resumeSession();
    history.replaceState(null, '', CONSOLE_PATH);
    throw error;
  }
}
