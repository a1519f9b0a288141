/** A file of numbers in columns, as it was read. */
export interface CsvTable {
  readonly columns: readonly CsvColumn[];
  readonly rows: number;
  /** The first lines as they stand in the file. */
  readonly preview: readonly (readonly string[])[];
  /** Which encoding it was read in, when that was not UTF-8. */
  readonly encoding: string;
  readonly delimiter: string;
}

export interface CsvColumn {
  readonly name: string;
  /** NaN where the file has no number. */
  readonly values: Float64Array;
  readonly missing: number;
  /** The first line, counted as an editor does, with something that is no number; 0: there is none. */
  readonly oddLine: number;
}

const PREVIEW = 6;
const MOST_COLUMNS = 100;
const DELIMITERS = [',', ';', '\t', ' '];
/** What stands for a value that is not there. */
const NOTHING = new Set(['', 'na', 'nan', 'null', '-', 'n/a']);

/**
 * Reads a table. The delimiter is what most evenly parts the first lines; with `;` a comma may be the
 * decimal sign.
 * @throws an error with a message for the user
 */
export function csvTable(bytes: Uint8Array): CsvTable {
  const { text, encoding } = decoded(bytes);
  const lines = text.split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw new Error('The file is empty.');
  const delimiter = delimiterOf(lines.slice(first, first + PREVIEW));
  const head = cells(lines[first] as string, delimiter);
  if (head.length > MOST_COLUMNS)
    throw new Error(`The file has more than ${MOST_COLUMNS} columns.`);
  const hasHead = head.some((cell) => Number.isNaN(numberIn(cell, delimiter)) && !isNothing(cell));
  const from = hasHead ? first + 1 : first;
  const most = lines.length - from;
  const lists = head.map(() => new Float64Array(most));
  const missing = head.map(() => 0);
  const odd = head.map(() => 0);
  let rows = 0;
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] as string;
    if (line.trim() === '') continue;
    const row = cells(line, delimiter);
    for (let column = 0; column < head.length; column += 1) {
      const cell = row[column] ?? '';
      const value = numberIn(cell, delimiter);
      (lists[column] as Float64Array)[rows] = value;
      if (Number.isNaN(value)) {
        missing[column] = (missing[column] as number) + 1;
        if (!isNothing(cell) && odd[column] === 0) odd[column] = at + 1;
      }
    }
    rows += 1;
  }
  if (rows === 0) throw new Error('The file has a head and no rows.');
  return {
    columns: head.map((name, column) => ({
      name: hasHead ? name : `Column ${column + 1}`,
      values: (lists[column] as Float64Array).slice(0, rows),
      missing: missing[column] as number,
      oddLine: odd[column] as number,
    })),
    rows,
    preview: lines
      .slice(from)
      .filter((line) => line.trim() !== '')
      .slice(0, PREVIEW)
      .map((line) => cells(line, delimiter)),
    encoding,
    delimiter,
  };
}

function decoded(bytes: Uint8Array): { text: string; encoding: string } {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe)
    return { text: new TextDecoder('utf-16le').decode(bytes), encoding: 'UTF-16' };
  if (a === 0xfe && b === 0xff)
    return { text: new TextDecoder('utf-16be').decode(bytes), encoding: 'UTF-16' };
  if (bytes.subarray(0, 4_096).includes(0)) {
    throw new Error('This is no text file. Export the table as CSV first.');
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'UTF-8' };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), encoding: 'Windows-1252' };
  }
}

function delimiterOf(lines: readonly string[]): string {
  const scored = DELIMITERS.map((delimiter) => {
    const counts = lines
      .filter((line) => line.trim() !== '')
      .map((line) => cells(line, delimiter).length);
    return { delimiter, even: new Set(counts).size === 1, width: Math.min(...counts) };
  });
  return (
    scored.find(({ even, width }) => even && width > 1)?.delimiter ??
    scored.toSorted((one, other) => other.width - one.width)[0]?.delimiter ??
    ','
  );
}

/** The cells of a line; quotes are taken off, doubled ones stay as one. */
export function cells(line: string, delimiter: string): string[] {
  if (!line.includes('"')) {
    return (delimiter === ' ' ? line.trim().split(/ +/) : line.split(delimiter)).map((cell) =>
      cell.trim(),
    );
  }
  const found: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at] as string;
    if (sign === '"') {
      if (quoted && line[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else {
        quoted = !quoted;
      }
    } else if (sign === delimiter && !quoted) {
      found.push(cell.trim());
      cell = '';
    } else {
      cell += sign;
    }
  }
  return [...found, cell.trim()];
}

const isNothing = (cell: string): boolean => NOTHING.has(cell.toLowerCase());

function numberIn(cell: string, delimiter: string): number {
  if (isNothing(cell)) return NaN;
  return Number(delimiter === ';' ? cell.replace(',', '.') : cell);
}
