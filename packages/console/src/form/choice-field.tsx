import { idOf, useForm } from './form-context.js';
import { beginningOf, branchName, branchOf, type Shape, words } from './json-schema.js';
import { type FieldProps, SchemaField } from './schema-field.js';

/** One of several forms of a value: which one is chosen by what tells them apart. */
export function ChoiceField({
  schema,
  value,
  onChange,
  place,
  label,
  required,
  shape,
}: FieldProps & { readonly shape: Shape & { kind: 'choice' } }) {
  const { root, id } = useForm();
  const index = value === undefined ? -1 : branchOf(shape, value);
  const branch = shape.branches[index];
  const choice = `${idOf(id, place)}-choice`;
  return (
    <fieldset className="group" id={idOf(id, place)}>
      <legend>{words(label)}</legend>
      <div className="stack">
        <div className="field">
          <label htmlFor={choice}>{`Kind of ${words(label).toLowerCase()}`}</label>
          <select
            id={choice}
            value={index < 0 ? '' : String(index)}
            onChange={({ target }) =>
              onChange(
                target.value === ''
                  ? undefined
                  : (beginningOf(shape.branches[Number(target.value)] ?? {}, root) ?? null),
              )
            }
          >
            {(index < 0 || !required) && <option value="">Default</option>}
            {shape.branches.map((each, at) => (
              <option key={at} value={at}>
                {branchName(each, shape.by, at)}
              </option>
            ))}
          </select>
          <p className="hint">{branch?.description ?? schema.description ?? ''}</p>
        </div>
        {branch !== undefined && (
          <SchemaField
            key={index}
            schema={branch}
            value={value}
            onChange={onChange}
            place={place}
            label={branch.type === 'object' ? '' : branchName(branch, shape.by, index)}
            required
          />
        )}
      </div>
    </fieldset>
  );
}
