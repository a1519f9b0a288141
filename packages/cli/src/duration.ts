import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const MAX_SECONDS = 366 * 86_400;

/** Seconds of a text such as 90, 90s, 10m, 2h or 1h30m. */
export function secondsOf(text: string): number {
  const isPlain = /^\d+(\.\d+)?$/.test(text);
  const parts = isPlain ? [] : [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  const seconds = isPlain
    ? Number(text)
    : parts.reduce((sum, [, count, unit = 's']) => sum + Number(count) * (UNITS[unit] ?? 1), 0);
  const isWhole = isPlain || (parts.length > 0 && parts.map(([part]) => part).join('') === text);
  if (isWhole && seconds > 0 && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError('It must be a time like 90s, 10m, 2h or 1h30m.');
}

/** The same of whole seconds. */
export function wholeSecondsOf(text: string): number {
  return Math.max(1, Math.round(secondsOf(text)));
}

/** A time for people, in its two largest units: `2 h 5 min`. */
export function tellSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400)
    return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`;
}
