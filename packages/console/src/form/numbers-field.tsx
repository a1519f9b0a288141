import { useEffect, useState } from 'react';
import { isRows, lengthOf, type Packed, unpack, valuesOf, widthOf } from '../document/packed.js';
import { countWords } from '../format/number-words.js';
import { Labeled, type FieldProps } from './schema-field.js';

/** Lists with more numbers are not edited as text: they come from a file. */
const MOST_EDITED = 4_000;
const ROWS_SHOWN = 3;
const MOST_IN_A_LINE = 8;

/**
 * A list of numbers, or of rows of numbers, one line each.
 * @param width how many numbers a row may have; null: single numbers
 */
export function NumbersField(
  props: FieldProps & { readonly width: { least: number; most: number } | null },
) {
  const { value, onChange, width } = props;
  const count = value === undefined ? 0 : (lengthOf(value as Packed) ?? 0);
  const numbers = count * (isRows(value) ? widthOf(value) : (width?.most ?? 1));
  const [text, setText] = useState(() => printed(value, numbers));
  useEffect(() => {
    if (!same(parse(text, width !== null), value)) setText(printed(value, numbers));
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [value]);
  const isLong = numbers > MOST_EDITED;
  // Of a few numbers, such as the origin of a grid: a line is enough.
  const isShort = (props.schema.maxItems ?? Infinity) <= MOST_IN_A_LINE;
  return (
    <Labeled props={props} whole wide={!isShort}>
      {(given) =>
        isLong ? (
          <div className="row" id={given.id} tabIndex={-1}>
            <span>{`${countWords(count)} ${width === null ? 'numbers' : 'rows'}: ${beginning(value)} …`}</span>
            <button type="button" className="button small" onClick={() => onChange([])}>
              Clear
            </button>
          </div>
        ) : (
          <>
            <textarea
              {...given}
              className={isShort ? 'mono numbers short' : 'mono numbers'}
              spellCheck={false}
              rows={isShort ? 1 : Math.min(8, Math.max(2, width === null ? 2 : count))}
              placeholder={width === null ? '1.2, 3.4, 5.6' : '181072, 333611\n181025, 333558'}
              value={text}
              onChange={({ target }) => {
                setText(target.value);
                onChange(parse(target.value, width !== null));
              }}
            />
            <span className="small soft">
              {count === 0
                ? width === null
                  ? 'Numbers separated by commas or blanks'
                  : `One row a line: ${width.least === width.most ? width.most : `${width.least} or ${width.most}`} numbers`
                : `${countWords(count)} ${width === null ? 'numbers' : 'rows'}`}
            </span>
          </>
        )
      }
    </Labeled>
  );
}

const SEPARATORS = /[\s,;]+/;

/** What is no number stays as it is typed: the service says where it stands. */
function parse(text: string, inRows: boolean): unknown {
  const numbers = (line: string) =>
    line
      .split(SEPARATORS)
      .filter((part) => part !== '')
      .map((part) => (part === 'null' ? null : Number.isNaN(Number(part)) ? part : Number(part)));
  if (text.trim() === '') return undefined;
  if (!inRows) return numbers(text.replaceAll(/[[\]]/g, ' '));
  return text
    .split(/\n|\],/)
    .map((line) => numbers(line.replaceAll(/[[\]]/g, ' ')))
    .filter((row) => row.length > 0);
}

function printed(value: unknown, numbers: number): string {
  if (numbers > MOST_EDITED || value === undefined || value === null) return '';
  const plain = unpack(value as Packed);
  if (!Array.isArray(plain)) return '';
  const inRows = plain.some(Array.isArray);
  return inRows ? plain.map((row) => [row].flat().join(', ')).join('\n') : plain.join(', ');
}

function same(one: unknown, other: unknown): boolean {
  if (other instanceof Float64Array || isRows(other)) return false;
  return JSON.stringify(one) === JSON.stringify(other);
}

function beginning(value: unknown): string {
  if (isRows(value)) {
    return [...valuesOf(value).subarray(0, widthOf(value) * ROWS_SHOWN)].join(', ');
  }
  return value instanceof Float64Array
    ? [...value.subarray(0, ROWS_SHOWN)].join(', ')
    : JSON.stringify((value as unknown[]).slice(0, ROWS_SHOWN)).slice(1, -1);
}
