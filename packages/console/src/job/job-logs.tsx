import type { Job, LogPiece } from 'headframe-client';
import { useEffect, useRef, useState } from 'react';
import { useApi } from '../api/api-context.js';
import { isPassing } from '../api/query-client.js';
import { useSession } from '../session/session.js';
import { tellError } from '../ui/error-words.js';

/** Characters that the page keeps: the oldest go first. */
const MOST_CHARACTERS = 400_000;
/** Until the log is asked for again, when the service did not answer. */
const AGAIN_MS = 3_000;

/** What the command of a job wrote, following it until the job has ended. */
export function JobLogs({ job, ended }: { job: Job; ended: boolean }) {
  const { client } = useApi();
  const signedIn = useSession().kind === 'in';
  const [pieces, setPieces] = useState<readonly LogPiece[]>([]);
  const [fault, setFault] = useState<string | null>(null);
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (!signedIn) return undefined;
    const stop = new AbortController();
    const read = async () => {
      setPieces([]);
      let waiting: LogPiece[] = [];
      const show = () => {
        const fresh = waiting;
        waiting = [];
        setPieces((known) => newest([...known, ...fresh]));
      };
      for await (const piece of client.logs(job, { signal: stop.signal, follow: !ended })) {
        if (waiting.length === 0) setTimeout(show, 100);
        waiting.push(piece);
      }
    };
    let again: ReturnType<typeof setTimeout> | undefined;
    const begin = () => {
      read().then(
        () => setFault(null),
        (error: unknown) => {
          if (stop.signal.aborted) return;
          setFault(tellError(error));
          if (isPassing(error)) again = setTimeout(begin, AGAIN_MS);
        },
      );
    };
    begin();
    return () => {
      stop.abort();
      clearTimeout(again);
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [client, job.id, job.task, ended, signedIn]);
  useEffect(() => {
    if (follow) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [pieces, follow]);
  // Only commands write logs: most tasks have none, and a panel would say nothing.
  if (pieces.length === 0 && fault === null) return null;
  return (
    <section className="panel" aria-label="Log">
      <div className="panel-head">
        <h2>Log</h2>
        <label className="check small">
          <input
            type="checkbox"
            checked={follow}
            onChange={({ target }) => setFollow(target.checked)}
          />
          Follow
        </label>
      </div>
      {fault !== null && <p role="alert">{fault}</p>}
      <pre className="log" ref={box} tabIndex={0} role="log" aria-label="What the command wrote">
        {pieces.map(({ attempt, number, text }, index) => (
          <span key={`${attempt}.${number}`}>
            {attempt !== pieces[index - 1]?.attempt && <b>{`— attempt ${attempt} —\n`}</b>}
            {text}
          </span>
        ))}
      </pre>
    </section>
  );
}

function newest(pieces: readonly LogPiece[]): readonly LogPiece[] {
  let characters = 0;
  const from = pieces.findLastIndex(({ text }) => (characters += text.length) > MOST_CHARACTERS);
  return pieces.slice(from + 1);
}
