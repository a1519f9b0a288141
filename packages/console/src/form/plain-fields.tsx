import { valueWords } from '../format/value-words.js';
import { useEffect, useState } from 'react';
import { Labeled, type FieldProps } from './schema-field.js';

/** A number, written as people do: what is no number stays as it was typed, and is refused later. */
export function NumberField(props: FieldProps) {
  const { value, onChange } = props;
  const [text, setText] = useState(() => written(value));
  // Something else has changed it: an example, a file, another branch.
  useEffect(() => {
    if (numberOf(text) !== value) setText(written(value));
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [value]);
  return (
    <Labeled props={props}>
      {(given) => (
        <input
          {...given}
          className="input number-input"
          inputMode="decimal"
          autoComplete="off"
          value={text}
          placeholder={placeholderOf(props)}
          onChange={({ target }) => {
            setText(target.value);
            onChange(target.value.trim() === '' ? undefined : numberOf(target.value));
          }}
        />
      )}
    </Labeled>
  );
}

const written = (value: unknown): string =>
  value === undefined || value === null ? '' : valueWords(value);

/** The number that a text is; the text itself when it is none. */
export function numberOf(text: string): number | string {
  const trimmed = text.trim();
  const number = Number(trimmed.replaceAll(/[\u2212]/g, '-'));
  return trimmed !== '' && Number.isFinite(number) ? number : trimmed;
}

export function TextField(props: FieldProps) {
  const { value, onChange, schema } = props;
  return (
    <Labeled props={props}>
      {(given) => (
        <input
          {...given}
          className="input"
          type="text"
          autoComplete="off"
          maxLength={schema.maxLength ?? 100_000}
          value={typeof value === 'string' ? value : ''}
          placeholder={placeholderOf(props)}
          onChange={({ target }) =>
            onChange(target.value === '' && !props.required ? undefined : target.value)
          }
        />
      )}
    </Labeled>
  );
}

/** One of a few values. */
export function SelectField(props: FieldProps & { readonly values: readonly unknown[] }) {
  const { value, onChange, values, schema, required } = props;
  const index = values.indexOf(value);
  const none = schema.default === undefined ? 'Choose' : `Default: ${valueWords(schema.default)}`;
  return (
    <Labeled props={props}>
      {(given) => (
        <select
          {...given}
          value={index < 0 ? '' : String(index)}
          onChange={({ target }) =>
            onChange(target.value === '' ? undefined : values[Number(target.value)])
          }
        >
          {(index < 0 || !required) && <option value="">{none}</option>}
          {values.map((each, at) => (
            <option key={valueWords(each)} value={at}>
              {each === true ? 'Yes' : each === false ? 'No' : valueWords(each)}
            </option>
          ))}
        </select>
      )}
    </Labeled>
  );
}

const placeholderOf = ({ schema }: FieldProps): string =>
  schema.default === undefined || typeof schema.default === 'object'
    ? ''
    : valueWords(schema.default);
