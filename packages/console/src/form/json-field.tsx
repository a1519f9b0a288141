import { useEffect, useState } from 'react';
import { Labeled, type FieldProps } from './schema-field.js';

/** Anything, written as JSON: for what a schema leaves open. */
export function JsonField(props: FieldProps) {
  const { value, onChange } = props;
  const [text, setText] = useState(() => printed(value));
  const parsed = parse(text);
  useEffect(() => {
    if (JSON.stringify(parse(text)) !== JSON.stringify(value)) setText(printed(value));
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [value]);
  return (
    <Labeled props={props} whole wide>
      {(given) => (
        <textarea
          {...given}
          className="mono"
          spellCheck={false}
          rows={4}
          value={text}
          aria-invalid={given['aria-invalid'] || parsed === BROKEN}
          onChange={({ target }) => {
            setText(target.value);
            const next = parse(target.value);
            if (next !== BROKEN) onChange(next);
          }}
        />
      )}
    </Labeled>
  );
}

const BROKEN = Symbol('not JSON');

const printed = (value: unknown): string =>
  value === undefined ? '' : JSON.stringify(value, null, 2);

function parse(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return BROKEN;
  }
}
