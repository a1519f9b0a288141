const COUNT = new Intl.NumberFormat('en');

/** `12,345` */
export const countWords = (count: number): string => COUNT.format(count);

/** `1 job`, `12,345 jobs` */
export const plural = (count: number, noun: string): string =>
  `${countWords(count)} ${noun}${count === 1 ? '' : 's'}`;

/** A measured number, with as many digits as one reads: `0.0123`, `12.35`, `1.2e+9`. */
export function numberWords(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return 'none';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(digits - 2);
  return String(Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(size))))));
}

/** `512 B`, `3.4 kB`, `12 MB` */
export function byteWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
