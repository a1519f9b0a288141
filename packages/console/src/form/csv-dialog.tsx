import { useState } from 'react';
import type { Packed } from '../document/packed.js';
import { byteWords, countWords, plural } from '../format/number-words.js';
import { Dialog } from '../ui/dialog.js';
import type { CsvAnswer } from './csv.worker.js';
import type { CsvTable } from './csv-table.js';
import { type CsvMapping, mapped, suggested } from './csv-mapping.js';
import { words } from './json-schema.js';

/** Larger files are no parameters: the service takes some megabytes. */
const MOST_BYTES = 200_000_000;

/** A file, its first lines, and which column is what. */
export function CsvDialog({
  rows,
  width,
  numbers,
  onLoaded,
  onClose,
}: {
  /** The member that takes coordinates, and how many it may have. */
  rows: string;
  width: number;
  /** Members that take a number for each row. */
  numbers: readonly string[];
  onLoaded: (members: Record<string, Packed>) => void;
  onClose: () => void;
}) {
  const [table, setTable] = useState<CsvTable | null>(null);
  const [mapping, setMapping] = useState<CsvMapping | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [reading, setReading] = useState(false);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    setFault(null);
    setTable(null);
    if (file.size > MOST_BYTES) {
      setFault(`The file has ${byteWords(file.size)}: at most ${byteWords(MOST_BYTES)} are read.`);
      return;
    }
    setReading(true);
    try {
      const read = await readTable(file);
      setTable(read);
      setMapping(suggested(read, width, numbers));
    } catch (error) {
      setFault(error instanceof Error ? error.message : 'The file cannot be read.');
    } finally {
      setReading(false);
    }
  };
  const result = table === null || mapping === null ? null : mapped(table, mapping, rows);
  return (
    <Dialog title="Load from a CSV file" onClose={onClose}>
      <div className="field">
        <label htmlFor="csv-file">File</label>
        <input
          id="csv-file"
          type="file"
          accept=".csv,.tsv,.txt,text/csv,text/plain"
          onChange={({ target }) => void take(target.files?.[0])}
        />
        <p className="hint">Columns of numbers, with or without names in the first line.</p>
      </div>
      {reading && <p role="status">Reading …</p>}
      {fault !== null && (
        <p className="callout bad" role="alert">
          {fault}
        </p>
      )}
      {table !== null && mapping !== null && (
        <>
          <p className="small soft">
            {`${plural(table.rows, 'row')}, ${plural(table.columns.length, 'column')}${table.encoding === 'UTF-8' ? '' : `, read as ${table.encoding}`}`}
          </p>
          <Preview table={table} />
          <Mapping table={table} mapping={mapping} numbers={numbers} onChange={setMapping} />
          <p className="small" role="status">
            {result?.told ?? ''}
          </p>
          <div className="row end">
            <button
              type="button"
              className="button primary"
              disabled={result === null || result.rows === 0}
              onClick={() => result !== null && onLoaded(result.members)}
            >
              {`Load ${countWords(result?.rows ?? 0)} rows`}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Preview({ table }: { table: CsvTable }) {
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="The first rows of the file">
      <table className="table small">
        <thead>
          <tr>
            {table.columns.map(({ name }, index) => (
              <th key={index} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.preview.map((row, index) => (
            <tr key={index}>
              {table.columns.map((_, column) => (
                <td key={column}>{row[column] ?? ''}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Mapping({
  table,
  mapping,
  numbers,
  onChange,
}: {
  table: CsvTable;
  mapping: CsvMapping;
  numbers: readonly string[];
  onChange: (mapping: CsvMapping) => void;
}) {
  const pick = (label: string, value: number, set: (column: number) => void, optional = false) => (
    <label className="field" key={label}>
      <span className="label">{label}</span>
      <select value={value} onChange={({ target }) => set(Number(target.value))}>
        {optional && <option value={-1}>None</option>}
        {table.columns.map(({ name }, index) => (
          <option key={index} value={index}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div className="row wide">
      {['x', 'y', 'z'].slice(0, mapping.places.length).map((axis, at) =>
        pick(
          axis,
          mapping.places[at] as number,
          (column) =>
            onChange({
              ...mapping,
              places: mapping.places.map((each, index) => (index === at ? column : each)),
            }),
          at === 2,
        ),
      )}
      {numbers.map((name) =>
        pick(words(name), mapping.numbers[name] as number, (column) =>
          onChange({ ...mapping, numbers: { ...mapping.numbers, [name]: column } }),
        ),
      )}
      {numbers.length > 0 && (
        <label className="check">
          <input
            type="checkbox"
            checked={mapping.logarithm}
            onChange={({ target }) => onChange({ ...mapping, logarithm: target.checked })}
          />
          Take the natural logarithm of the values
        </label>
      )}
    </div>
  );
}

function readTable(file: File): Promise<CsvTable> {
  const worker = new Worker(new URL('./csv.worker.ts', import.meta.url), { type: 'module' });
  return new Promise<CsvTable>((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<CsvAnswer>) => {
      if ('table' in data) resolve(data.table);
      else reject(new Error(data.fault));
    });
    worker.addEventListener('error', () =>
      reject(new Error('The page is out of date: reload it.')),
    );
    file.arrayBuffer().then((bytes) => worker.postMessage(bytes, [bytes]), reject);
  }).finally(() => worker.terminate());
}
