import { useState } from 'react';
import { at } from '../document/place.js';
import { lengthOf, memberOf, type Packed } from '../document/packed.js';
import { countWords, numberWords } from '../format/number-words.js';
import { Figure, NothingToDraw } from './figure.js';
import type { FigureProps } from './result-views.js';
import type { TableView } from './view-types.js';

const SHOWN = 20;
const MOST_COLUMNS = 20;

/** A list of objects, or an object of lists, as a table. */
export default function TableFigure({ view, document }: FigureProps<TableView>) {
  const [shown, setShown] = useState(SHOWN);
  const title = view.title ?? 'Table';
  const table = tableOf(at(document, view.rows));
  if (table === null) return <NothingToDraw title={title} what="the results have no such rows" />;
  const { columns, count, cell } = table;
  return (
    <Figure title={title}>
      <div className="scroll" tabIndex={0} role="group" aria-label={title}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">#</th>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: Math.min(shown, count) }, (_, row) => (
              <tr key={row}>
                <td className="soft">{row + 1}</td>
                {columns.map((column) => (
                  <td key={column}>{words(cell(row, column))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {count > shown && (
        <div>
          <button
            type="button"
            className="button small"
            onClick={() => setShown(shown + 10 * SHOWN)}
          >
            {`Show more of the other ${countWords(count - shown)} rows`}
          </button>
        </div>
      )}
    </Figure>
  );
}

interface Table {
  readonly columns: readonly string[];
  readonly count: number;
  readonly cell: (row: number, column: string) => Packed | undefined;
}

function tableOf(value: Packed | undefined): Table | null {
  if (typeof value !== 'object' || value === null) return null;
  const length = lengthOf(value);
  if (length !== null) {
    const columns = new Set<string>();
    for (let row = 0; row < Math.min(length, SHOWN); row += 1) {
      const member = memberOf(value, row);
      if (typeof member !== 'object' || member === null || lengthOf(member) !== null) return null;
      Object.keys(member).forEach((name) => columns.add(name));
    }
    return {
      columns: [...columns].slice(0, MOST_COLUMNS),
      count: length,
      cell: (row, column) => (memberOf(value, row) as Record<string, Packed> | null)?.[column],
    };
  }
  const lists = Object.entries(value as Record<string, Packed>).filter(
    ([, each]) => lengthOf(each) !== null,
  );
  const count = Math.max(0, ...lists.map(([, each]) => lengthOf(each) ?? 0));
  return lists.length === 0
    ? null
    : {
        columns: lists.map(([name]) => name).slice(0, MOST_COLUMNS),
        count,
        cell: (row, column) => memberOf((value as Record<string, Packed>)[column] as Packed, row),
      };
}

function words(value: Packed | undefined) {
  if (value === undefined || value === null) return <span className="soft">–</span>;
  if (typeof value === 'number')
    return Number.isInteger(value) ? countWords(value) : numberWords(value, 5);
  if (typeof value === 'object')
    return <span className="soft">{`${lengthOf(value) ?? 1} items`}</span>;
  const text = String(value);
  return <bdi>{text.length > 200 ? `${text.slice(0, 200)}…` : text}</bdi>;
}
