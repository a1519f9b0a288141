import { plural } from '../format/number-words.js';
import { idOf, useFaults, useForm, within } from './form-context.js';
import { beginningOf, type JsonSchema, words } from './json-schema.js';
import { type FieldProps, SchemaField } from './schema-field.js';

/** More members than this have no fields of their own: they are edited as JSON. */
const MOST_FIELDS = 50;

/** A list of members of one kind. */
export function ListField({
  schema,
  value,
  onChange,
  place,
  label,
  required,
  items,
}: FieldProps & { readonly items: JsonSchema }) {
  const { root, id } = useForm();
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const isLong = list.length > MOST_FIELDS;
  const faults = useFaults(place, isLong);
  const singular = words(label).replace(/s$/, '').toLowerCase();
  return (
    <fieldset className="group" id={idOf(id, place)}>
      <legend>{words(label)}</legend>
      <div className="stack">
        {schema.description !== undefined && (
          <p className="hint soft small">{schema.description}</p>
        )}
        {faults.map((fault) => (
          <p key={fault} className="fault">
            {fault}
          </p>
        ))}
        {isLong ? (
          <p className="soft">{`${plural(list.length, 'item')}: edit them as JSON.`}</p>
        ) : (
          list.map((member, index) => (
            <div key={index} className="stack list-member">
              <SchemaField
                schema={items}
                value={member}
                onChange={(next) =>
                  onChange(list.map((each, at) => (at === index ? (next ?? null) : each)))
                }
                place={within(place, index)}
                label={`${singular} ${index + 1}`}
                required
              />
              {(!required || list.length > (schema.minItems ?? 0)) && (
                <div>
                  <button
                    type="button"
                    className="button small"
                    onClick={() => onChange(list.filter((_, at) => at !== index))}
                  >
                    {`Remove ${singular} ${index + 1}`}
                  </button>
                </div>
              )}
            </div>
          ))
        )}
        {!isLong && list.length < (schema.maxItems ?? Infinity) && (
          <div>
            <button
              type="button"
              className="button small"
              onClick={() => onChange([...list, beginningOf(items, root) ?? null])}
            >
              {`Add ${singular}`}
            </button>
          </div>
        )}
      </div>
    </fieldset>
  );
}
