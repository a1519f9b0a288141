import { SignInForm } from './sign-in-form.js';

/** What who is not signed in sees, at whatever address: it is shown once they are. */
export default function SignInPage({ problem }: { problem: string | null }) {
  return (
    <main className="sign-in" id="main">
      <div className="panel">
        <div className="row">
          <img src="./icon.svg" alt="" width="36" height="36" />
          <h1>Headframe</h1>
        </div>
        <p className="soft">Sign in to see and run your organization’s jobs.</p>
        {problem !== null && (
          <p className="callout warn" role="alert">
            {problem}
          </p>
        )}
        <SignInForm />
      </div>
      <p className="small soft">
        For programs: <a href="../docs">API reference</a>
      </p>
    </main>
  );
}
