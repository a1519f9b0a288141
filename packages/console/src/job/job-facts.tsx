import type { JobDetail } from 'headframe-client';
import { durationWords, momentWords } from '../format/time-words.js';

/** What was asked for beside the parameters. */
export function JobFacts({ detail }: { detail: JobDetail }) {
  const ran =
    detail.started_at === null || detail.ended_at === null
      ? null
      : (Date.parse(detail.ended_at) - Date.parse(detail.started_at)) / 1_000;
  const facts: readonly (readonly [string, string | null])[] = [
    ['Task', `${detail.topic}/${detail.task}`],
    ['Ran for', ran === null ? null : durationWords(ran)],
    ['Attempts', String(detail.attempt)],
    ['Fails with failure', detail.max_attempts === 1 ? null : `number ${detail.max_attempts}`],
    ['Failures', detail.failures === 0 ? null : String(detail.failures)],
    ['Workers lost', detail.crashes === 0 ? null : String(detail.crashes)],
    ['Priority', detail.priority === 0 ? null : String(detail.priority)],
    ['Time limit', detail.timeout === null ? null : durationWords(detail.timeout)],
    ['Not before', detail.run_after === null ? null : momentWords(detail.run_after)],
    ['Expires', detail.expires_at === null ? null : momentWords(detail.expires_at)],
  ];
  return (
    <section className="panel" aria-label="Facts">
      <h2>Facts</h2>
      <dl className="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name} className="fact">
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </section>
  );
}
