import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { useApi } from '../api/api-context.js';
import { useSession } from '../session/session.js';
import { LiveFeed } from './live-feed.js';

const Context = createContext<LiveFeed | null>(null);

/** One stream of changes for the tab, whichever page is open; none while the tab is hidden. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const api = useApi();
  const signedIn = useSession().kind === 'in';
  const feed = useMemo(() => new LiveFeed(api), [api]);
  useEffect(() => {
    if (!signedIn) return undefined;
    const follow = () => (document.hidden ? feed.pause() : feed.resume());
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      feed.pause();
    };
  }, [feed, signedIn]);
  return <Context value={feed}>{children}</Context>;
}

export function useLive(): LiveFeed {
  const feed = useContext(Context);
  if (feed === null) throw new Error('This page is of no organization.');
  return feed;
}
