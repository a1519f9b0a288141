import type { HeadframeClient } from 'headframe-client';
import type { Session } from '../session/session.js';
import type { Terminal } from '../terminal/terminal.js';

/** A service that is restarted, or a network that changes, is waited for that long. */
const PATIENCE_MINUTES = 15;
const AWAY = new Set([502, 503, 504]);

/** A client that survives restarts of the service, and tells when it is away and when it is back. */
export function patientClient(session: Session, terminal: Terminal): HeadframeClient {
  let isAway = false;
  const tell = (away: boolean) => {
    if (isAway === away) return;
    isAway = away;
    terminal.note(
      away
        ? `\nNo answer from ${session.url}; trying again for ${PATIENCE_MINUTES} minutes.`
        : 'It answers again.',
    );
  };
  const noting: typeof fetch = async (input, init) => {
    try {
      const response = await fetch(input, init);
      tell(AWAY.has(response.status));
      return response;
    } catch (error) {
      if (init?.signal?.aborted !== true) tell(true);
      throw error;
    }
  };
  return session.client(PATIENCE_MINUTES * 60_000, noting);
}
