import { stripVTControlCharacters } from 'node:util';

/**
 * Columns under their titles, two spaces apart.
 * @param columns how many there is room for; what does not fit is cut off at the end of the line
 */
export function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string {
  const all = [titles, ...rows.map((row) => row.map(oneLine))];
  const widths = titles.map((_, index) => Math.max(...all.map((row) => widthOf(row[index] ?? ''))));
  return all
    .map((row) => cut(row.map((cell, index) => pad(cell, widths[index] ?? 0)).join('  '), columns))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Names and what they stand for, below each other. */
export function fields(pairs: readonly (readonly [string, string | null | undefined])[]): string {
  const told = pairs.filter(
    (pair): pair is readonly [string, string] =>
      pair[1] !== null && pair[1] !== undefined && pair[1] !== '',
  );
  const width = Math.max(0, ...told.map(([name]) => name.length));
  return told.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`).join('');
}

/** What a tenant can send must not steer a terminal, nor break a line that belongs to a table. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]+/g, ' ');
}

/** Without control characters but for our own colours, line breaks and tabs. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what it is about
  return text.replaceAll(/(?!\x1b\[\d+m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '�');
}

/** Kept apart when a text is split by it. */
// oxlint-disable-next-line no-control-regex -- that is how colours begin
const COLOR = /(\x1b\[\d+m)/;

const widthOf = (text: string): number => stripVTControlCharacters(text).length;
const pad = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** Colours do not count, and end with the line. */
function cut(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let room = columns - 1;
  let kept = '';
  for (const part of line.split(COLOR)) {
    if (COLOR.test(part)) kept += part;
    else {
      kept += part.slice(0, Math.max(0, room));
      room -= part.length;
    }
  }
  return `${kept}…`;
}
