import { useId } from 'react';

/** What else a job may be asked for. */
export interface RunOptionsValue {
  /** `name: value`, one a line. */
  readonly labels: string;
  readonly priority?: number;
  /** RFC 3339. */
  readonly run_after?: string;
}

export function RunOptions({
  value,
  onChange,
}: {
  value: RunOptionsValue;
  onChange: (value: RunOptionsValue) => void;
}) {
  const id = useId();
  const without = ({ priority: _p, run_after: _r, ...rest }: RunOptionsValue) => rest;
  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-labels`}>
          Labels <span className="soft">(optional)</span>
        </label>
        <input
          id={`${id}-labels`}
          className="input"
          value={value.labels}
          placeholder="project: meuse, metal: zinc"
          aria-describedby={`${id}-labels-hint`}
          onChange={({ target }) => onChange({ ...value, labels: target.value })}
        />
        <p className="hint" id={`${id}-labels-hint`}>
          Jobs can be found by them.
        </p>
      </div>
      <details>
        <summary>More</summary>
        <div className="stack more-options">
          <div className="field">
            <label htmlFor={`${id}-priority`}>Priority</label>
            <input
              id={`${id}-priority`}
              className="input number-input"
              type="number"
              min={-100}
              max={100}
              value={value.priority ?? ''}
              placeholder="0"
              onChange={({ target }) =>
                onChange({
                  ...without(value),
                  ...(value.run_after !== undefined && { run_after: value.run_after }),
                  ...(target.value !== '' && { priority: Number(target.value) }),
                })
              }
            />
            <p className="hint">From -100 to 100; higher starts first.</p>
          </div>
          <div className="field">
            <label htmlFor={`${id}-after`}>Not before</label>
            <input
              id={`${id}-after`}
              className="input"
              type="datetime-local"
              onChange={({ target }) =>
                onChange({
                  ...without(value),
                  ...(value.priority !== undefined && { priority: value.priority }),
                  ...(target.value !== '' && { run_after: new Date(target.value).toISOString() }),
                })
              }
            />
          </div>
        </div>
      </details>
    </>
  );
}
