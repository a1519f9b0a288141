import type { Change } from '../list-types.js';
import { Mailbox } from './mailbox.js';
import type { OrganizationStream } from './organization-stream.js';

/** What is said while there is no stream: how often its reader would list again. */
const POLL_MS = 5_000;
/** How long a stream may take to speak before its reader is told to begin without it. */
const FIRST_WORD_MS = 1_000;
/** Changes that a slow reader may leave unread, before it is told to list again instead. */
const MAX_UNREAD = 1_000;

type News =
  | Change
  | { readonly type: 'down' }
  | { readonly type: 'refused'; readonly error: Error };

/**
 * The changes that a stream brings, for one reader.
 * @throws RequestError when the service refuses the stream for good, or the reason of the signal
 */
export async function* changesIn(
  stream: OrganizationStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<Change, void, undefined> {
  const gap: Change = { type: 'reset', live: true };
  const mailbox = new Mailbox<News>(MAX_UNREAD, gap);
  const wasLive = stream.isLive;
  const leave = stream.join({
    onChange: (job) => mailbox.post({ type: 'changed', job }),
    onGap: () => mailbox.post(gap),
    onDown: () => mailbox.post({ type: 'down' }),
    onRefused: (error) => mailbox.post({ type: 'refused', error }),
  });
  try {
    if (wasLive) yield gap;
    let pause = FIRST_WORD_MS;
    for (;;) {
      const news = await mailbox.take(stream.isLive ? Infinity : pause, signal);
      pause = POLL_MS;
      if (news === null) yield { type: 'reset', live: false };
      else if (news.type === 'refused') throw news.error;
      else if (news.type !== 'down') yield news;
    }
  } finally {
    leave();
  }
}
