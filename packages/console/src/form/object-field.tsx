import { useCallback, useRef } from 'react';
import { idOf, useFaults, useForm, within } from './form-context.js';
import { beginningOf, type Shape, words } from './json-schema.js';
import { type FieldProps, SchemaField } from './schema-field.js';
import { CsvButton } from './csv-button.js';

/** An object, with a field for each member: what it must have at once, the rest as it is asked for. */
export function ObjectField({
  schema,
  value,
  onChange,
  place,
  label,
  required,
  shape,
}: FieldProps & { readonly shape: Shape & { kind: 'object' } }) {
  const { root, id } = useForm();
  const faults = useFaults(place, false);
  const members = isObject(value) ? value : {};
  const change = useMember(members, onChange);
  const chosen = shape.either.find((name) => members[name] !== undefined) ?? shape.either[0];
  const shown = shape.members.filter(
    ({ name, required: must }) =>
      must || members[name] !== undefined || (shape.either.includes(name) && name === chosen),
  );
  const open = shape.members.filter(
    (member) => !shown.includes(member) && !shape.either.includes(member.name),
  );
  // Of a choice, the frame is there already.
  const isTop = place === '' || label === '';
  const body = (
    <>
      {place !== '' && label !== '' && schema.description !== undefined && (
        <p className="hint soft small">{schema.description}</p>
      )}
      {faults.map((fault) => (
        <p key={fault} className="fault" role="alert">
          {fault}
        </p>
      ))}
      <CsvButton members={shape.members} value={members} onChange={onChange} label={label} />
      {shape.either.length > 0 && (
        <div className="field">
          <label htmlFor={`${idOf(id, place)}-either`}>{`${words(label)} as`}</label>
          <select
            id={`${idOf(id, place)}-either`}
            value={chosen}
            onChange={({ target }) => {
              const rest = Object.fromEntries(
                Object.entries(members).filter(([name]) => !shape.either.includes(name)),
              );
              const member = shape.members.find(({ name }) => name === target.value);
              const begun = member === undefined ? undefined : beginningOf(member.schema, root);
              onChange({ ...rest, [target.value]: begun ?? emptyOf(member?.schema.type) });
            }}
          >
            {shape.either.map((name) => (
              <option key={name} value={name}>
                {words(name)}
              </option>
            ))}
          </select>
        </div>
      )}
      <div className="members">
        {shown.map(({ name, schema: member, required: must }) => (
          <SchemaField
            key={name}
            schema={member}
            value={members[name]}
            onChange={change(name)}
            place={within(place, name)}
            label={name}
            required={must || shape.either.includes(name)}
          />
        ))}
      </div>
      {open.length > 0 && (
        <div className="row small">
          <span className="soft">Add</span>
          {open.map(({ name, schema: member }) => (
            <button
              key={name}
              type="button"
              className="button small"
              title={member.description}
              onClick={() => change(name)(beginningOf(member, root) ?? emptyOf(member.type))}
            >
              {words(name)}
            </button>
          ))}
        </div>
      )}
    </>
  );
  if (isTop) return <div className="stack">{body}</div>;
  return (
    <fieldset className="group" id={idOf(id, place)}>
      <legend>
        {words(label)}
        {!required && (
          <button type="button" className="button plain small" onClick={() => onChange(undefined)}>
            {`Remove ${words(label).toLowerCase()}`}
          </button>
        )}
      </legend>
      <div className="stack">{body}</div>
    </fieldset>
  );
}

/** A setter for each member, the same at each drawing: fields that did not change are not drawn anew. */
function useMember(members: Record<string, unknown>, onChange: (value: unknown) => void) {
  const latest = useRef({ members, onChange });
  latest.current = { members, onChange };
  const setters = useRef(new Map<string, (value: unknown) => void>());
  return useCallback((name: string) => {
    const known = setters.current.get(name);
    if (known !== undefined) return known;
    const set = (value: unknown) => {
      const { [name]: _, ...rest } = latest.current.members;
      const next = value === undefined ? rest : { ...latest.current.members, [name]: value };
      latest.current.members = next;
      latest.current.onChange(next);
    };
    setters.current.set(name, set);
    return set;
  }, []);
}

/** What a member is when it was asked for and nothing is known: so that it is shown at all. */
function emptyOf(type: unknown): unknown {
  switch (type) {
    case 'array':
      return [];
    case 'number':
    case 'integer':
    case 'boolean':
    case 'string':
      return null;
    default:
      return {};
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Float64Array) &&
  !(value instanceof Map);
