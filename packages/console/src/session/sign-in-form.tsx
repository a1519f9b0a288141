import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { consoleRequest } from '../api/console-request.js';
import { tellError } from '../ui/error-words.js';
import { leaveForProvider } from './provider-sign-in.js';
import { signIn } from './session.js';

interface Ways {
  readonly version: string;
  readonly development: boolean;
  readonly provider: boolean;
}

/** The ways to sign in that the service offers; a pasted token is always one. */
export function SignInForm() {
  const id = useId();
  const [token, setToken] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ways = useQuery({
    queryKey: ['ways'],
    queryFn: () => consoleRequest<Ways>('config.json'),
    staleTime: Infinity,
  });

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setFault(null);
    try {
      await work();
    } catch (error) {
      setFault(tellError(error));
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() === '') setFault('Paste a token first.');
    else void attempt(() => signIn(token));
  };
  const develop = () =>
    attempt(async () => {
      const given = await consoleRequest<{ token: string }>('development-token', {
        method: 'POST',
      });
      await signIn(given.token);
    });

  return (
    <div className="stack">
      {ways.data?.development === true && (
        <button
          type="button"
          className="button primary"
          disabled={busy}
          onClick={() => void develop()}
        >
          Sign in for development
        </button>
      )}
      {ways.data?.provider === true && (
        <button
          type="button"
          className="button primary"
          disabled={busy}
          onClick={() => void attempt(leaveForProvider)}
        >
          Sign in with your organization
        </button>
      )}
      <form onSubmit={submit} className="stack" noValidate>
        <div className="field">
          <label htmlFor={id}>Token</label>
          <input
            id={id}
            className="input mono"
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={token}
            aria-invalid={fault !== null}
            aria-describedby={`${id}-hint ${id}-fault`}
            onChange={({ target }) => setToken(target.value)}
          />
          <p id={`${id}-hint`} className="hint">
            A bearer token for this service. It stays in this tab and is gone when you close it.
          </p>
          <p id={`${id}-fault`} className="fault" role="alert">
            {fault ?? (ways.error === null ? '' : tellError(ways.error))}
          </p>
        </div>
        <button
          type="submit"
          className={ways.data?.development || ways.data?.provider ? 'button' : 'button primary'}
          disabled={busy}
        >
          Sign in with a token
        </button>
      </form>
    </div>
  );
}
