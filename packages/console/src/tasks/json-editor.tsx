import { useId, useState } from 'react';
import { type Packed, unpack } from '../document/packed.js';

/** Longer documents make a text field stand still. */
const MOST_CHARACTERS = 2_000_000;

/** The parameters as JSON. What is not JSON is told, and changes nothing until it is. */
export function JsonEditor({
  value,
  onChange,
}: {
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
}) {
  const id = useId();
  const [text, setText] = useState(() => JSON.stringify(unpack(value as Packed), null, 2));
  const [fault, setFault] = useState<string | null>(null);
  if (text.length > MOST_CHARACTERS) {
    return (
      <p className="soft">These parameters are too long to be edited as text: use the form.</p>
    );
  }
  const change = (next: string) => {
    setText(next);
    try {
      const parsed: unknown = JSON.parse(next);
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
        setFault('The parameters are a JSON object: { … }.');
        return;
      }
      setFault(null);
      onChange(parsed as Record<string, unknown>);
    } catch (error) {
      setFault(`This is not JSON yet: ${(error as Error).message}`);
    }
  };
  return (
    <div className="field">
      <label htmlFor={id}>Parameters as JSON</label>
      <textarea
        id={id}
        className="mono json-editor"
        spellCheck={false}
        rows={28}
        value={text}
        aria-invalid={fault !== null}
        aria-describedby={`${id}-fault`}
        onChange={({ target }) => change(target.value)}
      />
      <p className="fault" id={`${id}-fault`} role="alert">
        {fault}
      </p>
    </div>
  );
}
