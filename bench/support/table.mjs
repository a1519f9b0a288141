// Tables that people read in a terminal and that README files quote: Markdown with aligned columns.

/** @param {string[][]} rows the first is the head @returns {string} */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(rows[0]), line(rule), ...rows.slice(1).map(line)].join('\n');
}

/** @param {number} value @returns {string} three digits that count, with separators */
export function figure(value) {
  if (value >= 100) return Math.round(Number(value.toPrecision(3))).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}
