import type { Job, JobDetail, Problem } from 'headframe-client';
import { plural } from '../format/number-words.js';
import { CopyButton } from '../ui/copy-button.js';

/** Why a job failed: its problem in readable form, and where in the parameters it lies. */
export function JobProblem({
  job,
  detail,
  problem,
  onPlace,
}: {
  job: Job;
  detail: JobDetail;
  problem: Problem;
  onPlace: (place: string) => void;
}) {
  const last = detail.attempts.at(-1);
  const faults = problem['invalid-params'] ?? [];
  return (
    <section className="callout bad" aria-label="Why it failed">
      <h2>
        <bdi>{problem.title}</bdi>
      </h2>
      <p>
        <bdi>{problem.detail}</bdi>
      </p>
      {faults.length > 0 && (
        <ul className="stack">
          {faults.map(({ name, reason }) => (
            <li key={name}>
              <button
                type="button"
                className="button small plain mono"
                onClick={() => onPlace(name.replace(/^parameters\.?/, ''))}
              >
                {name}
              </button>{' '}
              <bdi>{reason}</bdi>
            </li>
          ))}
        </ul>
      )}
      {placesIn(problem.detail).map((place) => (
        <div key={place}>
          <button type="button" className="button small" onClick={() => onPlace(place)}>
            {`Show ${place} in the parameters`}
          </button>
        </div>
      ))}
      <div className="row small soft">
        <span>{plural(detail.attempt, 'attempt')}</span>
        {last !== undefined && <span className="mono">{`worker ${last.worker}`}</span>}
        <span className="mono">{problem.type.split(/[/:]/).at(-1)}</span>
        {problem['error-id'] !== undefined && (
          <span>{`For the operator: ${problem['error-id']}`}</span>
        )}
        <CopyButton
          label="Copy for a report"
          text={() => JSON.stringify({ job: job.id, task: job.task, problem }, null, 2)}
        />
      </div>
    </section>
  );
}

/** Places in the parameters that a sentence names, such as `neighborhood.max_samples`. */
function placesIn(text: string): string[] {
  const found = text.match(/\b(?:[a-z_]+\.)+[a-z_]+(?:\[\d+\])?/g) ?? [];
  return [...new Set(found)].filter((place) => !place.includes('..')).slice(0, 3);
}
