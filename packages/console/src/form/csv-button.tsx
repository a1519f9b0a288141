import { useState } from 'react';
import type { Member } from './json-schema.js';
import { shapeOf, words } from './json-schema.js';
import { useForm } from './form-context.js';
import { CsvDialog } from './csv-dialog.js';

/**
 * Fills lists of numbers from a file: shown by what has coordinates, or several lists that belong
 * together.
 */
export function CsvButton({
  members,
  value,
  onChange,
  label,
}: {
  members: readonly Member[];
  value: Readonly<Record<string, unknown>>;
  onChange: (value: unknown) => void;
  label: string;
}) {
  const { root } = useForm();
  const [open, setOpen] = useState(false);
  const shapes = members.map((member) => ({ ...member, shape: shapeOf(member.schema, root) }));
  const rows = shapes.find(({ shape }) => shape.kind === 'rows');
  const numbers = shapes.filter(({ shape, required }) => shape.kind === 'numbers' && required);
  if (rows === undefined) return null;
  return (
    <div>
      <button type="button" className="button small" onClick={() => setOpen(true)}>
        {`Load ${words(label).toLowerCase()} from a CSV file`}
      </button>
      {open && (
        <CsvDialog
          rows={rows.name}
          width={rows.shape.kind === 'rows' ? rows.shape.most : 2}
          numbers={numbers.map(({ name }) => name)}
          onClose={() => setOpen(false)}
          onLoaded={(loaded) => {
            const kept = Object.fromEntries(
              // What stands for the coordinates otherwise cannot stay beside them.
              Object.entries(value).filter(
                ([name]) =>
                  members.find((member) => member.name === name)?.required ||
                  loaded[name] !== undefined ||
                  rows.required,
              ),
            );
            onChange({ ...kept, ...loaded });
            setOpen(false);
          }}
        />
      )}
    </div>
  );
}
