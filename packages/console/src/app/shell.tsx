import { Link, Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useMay } from '../api/api-context.js';
import { LiveSign } from '../live/live-sign.js';
import { type Session, signOut, useSession } from '../session/session.js';
import { SessionNotice } from '../session/session-notice.js';
import { ConnectionNotice } from './connection-notice.js';
import { ThemeSwitch } from './theme-switch.js';

/** The frame of all pages: who is here, where they are, and what they must know. */
export function Shell() {
  const state = useSession();
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  // A new page is read from its beginning, by screen readers, too; the first has the browser's own start.
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  if (state.kind !== 'in' && state.kind !== 'expired') return null;
  return (
    <>
      <a className="skip" href={`${location.pathname}${location.search}#main`}>
        Skip to the page
      </a>
      <Bar session={state.session} />
      <div className="notices">
        <ConnectionNotice />
        <SessionNotice />
      </div>
      <main className="page" id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}

function Bar({ session }: { session: Session }) {
  const { org: inAddress } = useParams({ strict: false });
  const org = inAddress ?? session.organizations[0] ?? '';
  const mayAdminister = useMay('compute:admin');
  return (
    <header className="bar">
      <Link to="/$org/jobs" params={{ org }} className="brand">
        <img src="./icon.svg" alt="" width="26" height="26" />
        Headframe
      </Link>
      <nav aria-label="Pages">
        <ul>
          <li>
            <Link to="/$org/overview" params={{ org }}>
              Overview
            </Link>
          </li>
          <li>
            <Link to="/$org/jobs" params={{ org }}>
              Jobs
            </Link>
          </li>
          <li>
            <Link to="/$org/tasks" params={{ org }}>
              Tasks
            </Link>
          </li>
          {mayAdminister && (
            <li>
              <Link to="/$org/admin" params={{ org }}>
                Administration
              </Link>
            </li>
          )}
        </ul>
      </nav>
      <div className="bar-end">
        <LiveSign />
        <OrganizationSwitch org={org} organizations={session.organizations} />
        <ThemeSwitch />
        <button
          type="button"
          className="button small"
          onClick={signOut}
          title={`Signed in as ${session.subject}`}
        >
          Sign out
        </button>
      </div>
    </header>
  );
}

function OrganizationSwitch({
  org,
  organizations,
}: {
  org: string;
  organizations: readonly string[];
}) {
  const navigate = useNavigate();
  if (organizations.length < 2) return null;
  return (
    <select
      aria-label="Organization"
      className="small mono"
      value={org}
      onChange={({ target }) => void navigate({ to: '/$org/jobs', params: { org: target.value } })}
    >
      {!organizations.includes(org) && <option value={org}>{org}</option>}
      {organizations.map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  );
}
