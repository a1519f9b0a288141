import { valueWords } from '../format/value-words.js';
import { memo, type ReactNode } from 'react';
import { ChoiceField } from './choice-field.js';
import { idOf, useFaults, useForm } from './form-context.js';
import { JsonField } from './json-field.js';
import { type JsonSchema, resolved, shapeOf, withoutNull, words } from './json-schema.js';
import { ListField } from './list-field.js';
import { NumbersField } from './numbers-field.js';
import { ObjectField } from './object-field.js';
import { NumberField, SelectField, TextField } from './plain-fields.js';

/** Longer hints take a line of their own. */
const LONG_HINT = 160;

export interface FieldProps {
  readonly schema: JsonSchema;
  readonly value: unknown;
  /** Undefined takes the member away. */
  readonly onChange: (value: unknown) => void;
  /** As in `invalid-params`, without `parameters.` before it. */
  readonly place: string;
  readonly label: string;
  readonly required: boolean;
}

/** The field that a schema asks for. */
export const SchemaField = memo(function SchemaField(props: FieldProps) {
  const { root } = useForm();
  const { schema } = withoutNull(resolved(props.schema, root), root);
  const shape = shapeOf(schema, root);
  const given = { ...props, schema };
  switch (shape.kind) {
    case 'constant':
      return null;
    case 'choice-of-values':
      return <SelectField {...given} values={shape.values} />;
    case 'boolean':
      return <SelectField {...given} values={[true, false]} />;
    case 'number':
      return <NumberField {...given} />;
    case 'text':
      return <TextField {...given} />;
    case 'numbers':
      return <NumbersField {...given} width={null} />;
    case 'rows':
      return <NumbersField {...given} width={{ least: shape.least, most: shape.most }} />;
    case 'list':
      return <ListField {...given} items={shape.items} />;
    case 'object':
      return <ObjectField {...given} shape={shape} />;
    case 'choice':
      return <ChoiceField {...given} shape={shape} />;
    case 'anything':
      return <JsonField {...given} />;
    default:
      return shape satisfies never;
  }
});

/** A field with its label, its hint, and what is wrong with it. */
export function Labeled({
  props: { schema, place, label, required },
  whole = false,
  wide = false,
  children,
}: {
  props: FieldProps;
  whole?: boolean;
  /** Whether it takes a line of its own. */
  wide?: boolean;
  children: (given: {
    id: string;
    'aria-describedby': string;
    'aria-invalid': boolean;
    'aria-required': boolean;
  }) => ReactNode;
}) {
  const { id: form } = useForm();
  const id = idOf(form, place);
  const faults = useFaults(place, whole);
  const hint = hintOf(schema);
  const isWide = wide || hint.length > LONG_HINT;
  return (
    <div className={isWide ? 'field' : 'field plain-field'}>
      <label htmlFor={id}>
        {words(label)}
        {!required && <span className="soft"> (optional)</span>}
      </label>
      {children({
        id,
        'aria-describedby': `${id}-hint ${id}-fault`,
        'aria-invalid': faults.length > 0,
        'aria-required': required,
      })}
      <p className="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p className="fault" id={`${id}-fault`}>
        {faults.slice(0, 5).join('; ')}
      </p>
    </div>
  );
}

/** What the schema says of a value: its description, its bounds, its default. */
function hintOf(schema: JsonSchema): string {
  const { description, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const least = minimum === undefined ? exclusiveMinimum : minimum;
  const most = maximum === undefined ? exclusiveMaximum : maximum;
  const isTold = (bound: number | undefined) => bound !== undefined && Math.abs(bound) < 1e9;
  const parts = [
    description ?? '',
    isTold(least) && isTold(most)
      ? `From ${least} to ${most}`
      : isTold(least)
        ? `At least ${least}`
        : isTold(most)
          ? `At most ${most}`
          : '',
    schema.default === undefined || typeof schema.default === 'object'
      ? ''
      : `Default: ${valueWords(schema.default)}`,
    schema.examples === undefined ? '' : `For example ${JSON.stringify(schema.examples[0])}`,
  ];
  return parts.filter((part) => part !== '').join('. ');
}
