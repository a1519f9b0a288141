import { usageError } from '../cli-error.js';
import { type CsvTable, readCsv } from './csv.reader.js';

/** Which columns are what; those that are not named are guessed from their titles. */
export interface SampleColumns {
  readonly x?: string | undefined;
  readonly y?: string | undefined;
  readonly z?: string | undefined;
  readonly values?: string | undefined;
  /** For filters: kept as lists of numbers, or of texts when one of them is no number. */
  readonly attributes: readonly string[];
  /** Whether rows without a value are left out, instead of refused. */
  readonly skipEmpty: boolean;
}

/** Samples as the geostatistics tasks take them. */
export interface Samples {
  readonly source: {
    readonly coordinates: number[][];
    readonly values: number[];
    readonly attributes?: Record<string, (number | string | null)[]>;
  };
  /** What was taken for what, for people. */
  readonly told: string;
}

const GUESSES = {
  x: ['x', 'easting', 'east', 'xcoord', 'x_coord', 'mid_x', 'xc'],
  y: ['y', 'northing', 'north', 'ycoord', 'y_coord', 'mid_y', 'yc'],
  // Not elevation: with many samples of the surface that is an attribute.
  z: ['z', 'zcoord', 'z_coord', 'mid_z', 'zc'],
  values: ['value', 'values', 'grade'],
} as const;

/**
 * Samples of a CSV file.
 * @param name of the file, for messages
 * @throws CliError that names row and column of what is wrong
 */
export function readSamples(bytes: Uint8Array, name: string, columns: SampleColumns): Samples {
  const csv = readCsv(bytes, name);
  const x = place(csv, name, 'x', columns.x);
  const y = place(csv, name, 'y', columns.y);
  const z = placeOrNone(csv, name, 'z', columns.z);
  const axes = [x, y, ...(z === null ? [] : [z])];
  const valuesAt = valuesPlace(csv, name, columns.values, axes);
  const attributesAt = columns.attributes.map((title) => titled(csv, name, title));
  const used = columns.skipEmpty
    ? csv.rows.filter(({ fields }) => fields[valuesAt]?.trim() !== '')
    : csv.rows;
  if (used.length === 0) {
    throw usageError(`${name} has no samples.`, 'Each row after the header is a sample.');
  }
  const number = (row: CsvTable['rows'][number], column: number) =>
    numberIn(row.fields[column] ?? '', name, row.line, csv.header[column] ?? '');
  const coordinates = used.map((row) => axes.map((column) => number(row, column)));
  const values = used.map((row) => number(row, valuesAt));
  const attributes = Object.fromEntries(
    attributesAt.map((column) => [
      csv.header[column] ?? '',
      attribute(used.map(({ fields }) => fields[column] ?? '')),
    ]),
  );
  const left = csv.rows.length - used.length;
  const title = (column: number) => csv.header[column] ?? '';
  return {
    source: { coordinates, values, ...(attributesAt.length > 0 && { attributes }) },
    told:
      `${used.length} samples: ${axes.map(title).join(', ')} are the coordinates, ` +
      `${title(valuesAt)} the values` +
      (left > 0 ? `; ${left} rows without a value left out` : ''),
  };
}

function place(csv: CsvTable, name: string, axis: 'x' | 'y', asked: string | undefined): number {
  const found = placeOrNone(csv, name, axis, asked);
  if (found !== null) return found;
  throw usageError(
    `${name} has no column that looks like ${axis}: it has ${csv.header.join(', ')}.`,
    `Name it: --${axis} COLUMN`,
  );
}

function placeOrNone(
  csv: CsvTable,
  name: string,
  what: keyof typeof GUESSES,
  asked: string | undefined,
): number | null {
  if (asked !== undefined) return titled(csv, name, asked);
  const titles = csv.header.map((title) => title.toLowerCase());
  const guess = GUESSES[what].find((each) => titles.includes(each));
  return guess === undefined ? null : titles.indexOf(guess);
}

function valuesPlace(
  csv: CsvTable,
  name: string,
  asked: string | undefined,
  axes: readonly number[],
): number {
  const found = placeOrNone(csv, name, 'values', asked);
  if (found !== null) return found;
  const others = csv.header.map((_, index) => index).filter((index) => !axes.includes(index));
  const [only] = others;
  if (only !== undefined && others.length === 1) return only;
  throw usageError(
    others.length === 0
      ? `${name} has no column of values beside the coordinates.`
      : `Which column of ${name} has the values? It has ${others.map((at) => csv.header[at]).join(', ')}.`,
    `Name it: --values ${others[0] === undefined ? 'COLUMN' : csv.header[others[0]]}`,
  );
}

function titled(csv: CsvTable, name: string, title: string): number {
  const at = csv.header.indexOf(title);
  if (at !== -1) return at;
  throw usageError(
    `${name} has no column "${title}": it has ${csv.header.join(', ')}.`,
    'Names are compared letter by letter.',
  );
}

/** Decimal, as spreadsheets and programs write it; neither hexadecimal nor Infinity. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function numberIn(field: string, file: string, line: number, column: string): number {
  const text = field.trim();
  const number = Number(text);
  if (NUMBER.test(text) && Number.isFinite(number)) return number;
  const where = `${file}, row ${line}, column "${column}"`;
  if (text === '') {
    throw usageError(
      `${where}: empty where a number is needed.`,
      'Fill it in or remove the row. Rows without a value are left out by --skip-empty.',
    );
  }
  throw usageError(
    `${where}: ${JSON.stringify(text.slice(0, 40))} is no number.`,
    /^[+-]?\d+,\d+$/.test(text)
      ? 'Decimal commas are not read: write 1.5 for 1,5.'
      : 'Numbers are written like 12, -0.5 or 1e-3. Remove the row, or write the number.',
  );
}

function attribute(fields: readonly string[]): (number | string | null)[] {
  const texts = fields.map((field) => field.trim());
  const isNumeric = texts.every((text) => text === '' || NUMBER.test(text));
  return texts.map((text) => (text === '' ? null : isNumeric ? Number(text) : text));
}
