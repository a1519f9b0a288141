import { Outlet, useParams } from '@tanstack/react-router';
import { ApiProvider } from '../api/api-context.js';
import { LiveProvider } from '../live/live-context.js';
import { useSession } from '../session/session.js';
import { useTitle } from '../ui/use-title.js';

/** The pages of one organization, or a word on why there are none. */
export function OrganizationFrame() {
  const { org } = useParams({ strict: false }) as { org: string };
  const state = useSession();
  const granted =
    (state.kind === 'in' || state.kind === 'expired') && state.session.organizations.includes(org);
  if (!granted) return <NotYours />;
  return (
    <ApiProvider org={org} key={org}>
      <LiveProvider>
        <Outlet />
      </LiveProvider>
    </ApiProvider>
  );
}

function NotYours() {
  useTitle('Not yours');
  return (
    <div className="state">
      <h1>This organization is not in your token</h1>
      <p>Choose another one above, or sign in with a token that grants it.</p>
    </div>
  );
}
