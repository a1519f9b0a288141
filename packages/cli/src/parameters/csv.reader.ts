import { usageError } from '../cli-error.js';

/** A row of a CSV file. */
export interface CsvRow {
  /** The line in the file on which it begins; 1 is the first. */
  readonly line: number;
  readonly fields: readonly string[];
}

export interface CsvTable {
  readonly header: readonly string[];
  readonly rows: readonly CsvRow[];
}

const SEPARATORS = [',', ';', '\t'];

/**
 * Reads a table with a header (RFC 4180): UTF-8 with or without a mark at its beginning, fields in quotes
 * or not, separated by the comma, semicolon or tab that the header has most of.
 * @param name of the file, for messages
 * @throws CliError that names row and column of what is wrong
 */
export function readCsv(bytes: Uint8Array, name: string): CsvTable {
  const text = textIn(bytes, name);
  const separator = separatorOf(text);
  const [first, ...rows] = rowsOf(text, separator, name);
  if (first === undefined) {
    throw usageError(`${name} is empty.`, 'Its first row has the names of the columns.');
  }
  const header = first.fields.map((title) => title.trim());
  const twice = header.find((title, index) => title !== '' && header.indexOf(title) !== index);
  if (twice !== undefined) {
    throw usageError(`${name}: two columns are called "${twice}".`, 'Rename one of them.');
  }
  for (const { line, fields } of rows) {
    if (fields.length === header.length) continue;
    const trouble = fields.length < header.length ? 'too few' : 'too many';
    const last = header[Math.min(fields.length, header.length) - 1] ?? '';
    throw usageError(
      `${name}, row ${line}: ${fields.length} fields where the header has ${header.length}: ` +
        `${trouble}, after column "${last}".`,
      separator === ','
        ? 'A field with a comma in it stands in "quotes".'
        : 'A field with the separator in it stands in "quotes".',
    );
  }
  return { header, rows };
}

function textIn(bytes: Uint8Array, name: string): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw encodingError(`${name} is written in UTF-16.`, 'UTF-16', name);
  }
  try {
    // It drops the mark at the beginning, too.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
    throw usageError(
      `${name}, row ${lineAt(text, text.indexOf('\0'))}: a character NUL.`,
      'Is it a CSV file, and no spreadsheet? Save it as "CSV UTF-8".',
    );
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw encodingError(`${name}${placeOfOddByte(bytes)}: not UTF-8.`, 'WINDOWS-1252', name);
  }
}

/** The row and column of the first byte that is no UTF-8. */
function placeOfOddByte(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    const row = bytes.subarray(start, end === -1 ? bytes.length : end);
    try {
      decoder.decode(row);
    } catch {
      const good = new TextDecoder('latin1').decode(row);
      const before = good.slice(0, firstOdd(row));
      const column = before.split(separatorOf(good)).length;
      return `, row ${line}, column ${column}`;
    }
    if (end === -1) break;
    start = end + 1;
  }
  return '';
}

function firstOdd(row: Uint8Array): number {
  const first = row.findIndex((byte) => byte >= 0x80);
  return first === -1 ? row.length : first;
}

function encodingError(message: string, encoding: string, name: string): Error {
  return usageError(
    message,
    `Convert it: iconv -f ${encoding} -t UTF-8 ${name} > utf8.csv\nExcel saves so, too: "CSV UTF-8".`,
  );
}

function separatorOf(text: string): string {
  const [header = ''] = text.split('\n', 1);
  const counts = SEPARATORS.map((each) => header.split(each).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ',';
}

function* rowsOf(text: string, separator: string, name: string): Generator<CsvRow> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const begun = line;
    const fields: string[] = [];
    for (;;) {
      const field = fieldAt(text, at, separator);
      if (field === null) {
        throw usageError(
          `${name}, row ${line}, column ${fields.length + 1}: quotes that are opened and not closed.`,
          'Quotes inside of a quoted field are doubled: "6"" pipe".',
        );
      }
      fields.push(field.value);
      line += field.lines;
      at = field.end;
      if (text[at] !== separator) break;
      at += 1;
    }
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
    line += 1;
    // A line without anything is none: files end with them.
    if (fields.length > 1 || fields[0] !== '') yield { line: begun, fields };
  }
}

/** One field and where it ends; null when its quotes do not. */
function fieldAt(
  text: string,
  start: number,
  separator: string,
): { readonly value: string; readonly end: number; readonly lines: number } | null {
  if (text[start] !== '"') {
    let end = start;
    while (end < text.length && text[end] !== separator && !'\r\n'.includes(text[end] ?? '')) {
      end += 1;
    }
    return { value: text.slice(start, end), end, lines: 0 };
  }
  let value = '';
  for (let from = start + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return null;
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') {
      // What stands between the quotes and the separator is kept, for the message about it.
      const rest = fieldAt(` ${text.slice(quote + 1, quote + 200)}`, 0, separator);
      const tail = rest?.value.slice(1) ?? '';
      return { value: value + tail, end: quote + 1 + tail.length, lines: linesIn(value) };
    }
    value += '"';
    from = quote + 2;
  }
}

const linesIn = (text: string): number => text.split('\n').length - 1;
const lineAt = (text: string, place: number): number => linesIn(text.slice(0, place)) + 1;
