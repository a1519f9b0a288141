import type { JobDetail } from 'headframe-client';
import { clockWords, durationWords, momentWords } from '../format/time-words.js';
import { useNow } from '../ui/use-now.js';

interface Moment {
  readonly at: string;
  readonly what: string;
  readonly more?: string;
  readonly kind: 'plain' | 'good' | 'bad' | 'warn' | 'now';
}

const OUTCOMES: Readonly<Record<string, readonly [string, Moment['kind']]>> = {
  succeeded: ['Succeeded', 'good'],
  failed: ['Failed', 'bad'],
  canceled: ['Canceled', 'warn'],
  'retry later': ['Asked to be tried later', 'warn'],
  released: ['Handed back: its worker shut down', 'warn'],
  lost: ['Its worker was lost', 'bad'],
};

/** What has happened to a job, oldest first. */
export function TimeLine({ detail }: { detail: JobDetail }) {
  const now = useNow();
  const moments = momentsOf(detail);
  const first = moments[0]?.at;
  return (
    <section className="panel" aria-label="Time line">
      <h2>Time line</h2>
      <ol className="time-line">
        {moments.map(({ at, what, more, kind }, index) => {
          const before = moments[index - 1]?.at;
          const passed =
            before === undefined ? null : (Date.parse(at) - Date.parse(before)) / 1_000;
          return (
            <li key={`${at} ${what}`} data-kind={kind}>
              <span>
                {what}
                {passed !== null && (
                  <span className="soft small">{` after ${durationWords(Math.max(0, passed))}`}</span>
                )}
              </span>
              <time className="small soft" dateTime={at} title={momentWords(at)}>
                {index === 0 ? momentWords(at) : clockWords(at)}
              </time>
              {more !== undefined && (
                <span className="small soft">
                  <bdi>{more}</bdi>
                </span>
              )}
            </li>
          );
        })}
        {detail.ended_at === null && first !== undefined && (
          <li data-kind="now">
            <span className="soft">
              {`${detail.status === 'requested' ? 'Waits' : 'Runs'}, ${durationWords((now - Date.parse(moments.at(-1)?.at ?? first)) / 1_000)} so far`}
            </span>
          </li>
        )}
      </ol>
    </section>
  );
}

function momentsOf({
  created_at,
  attempts,
  ended_at,
  status,
  run_after,
  error,
}: JobDetail): Moment[] {
  const moments: Moment[] = [{ at: created_at, what: 'Submitted', kind: 'plain' }];
  if (run_after !== null && attempts.length === 0) {
    moments.push({
      at: created_at,
      what: `Not before ${momentWords(run_after)}`,
      kind: 'plain',
    });
  }
  for (const { attempt, started_at, ended_at: end, outcome, worker, problem } of attempts) {
    moments.push({
      at: started_at,
      what: attempt === 1 ? 'Started' : `Started again, attempt ${attempt}`,
      more: `worker ${worker.slice(-8)}`,
      kind: 'plain',
    });
    if (end !== null && outcome !== null) {
      const [what, kind] = OUTCOMES[outcome] ?? [outcome, 'plain'];
      moments.push({ at: end, what, kind, ...(problem !== undefined && { more: problem.title }) });
    }
  }
  // What was canceled or expired before it started has an end, and no attempt that has one.
  const isTold = moments.some(({ at }) => at === ended_at);
  if (ended_at !== null && !isTold) {
    const [what, kind] = OUTCOMES[status] ?? [status, 'plain'];
    moments.push({ at: ended_at, what, kind, ...(error !== undefined && { more: error.title }) });
  }
  return moments;
}
