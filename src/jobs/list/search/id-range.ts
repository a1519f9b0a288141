import type { JobFilter } from './job-filter.js';

/** Ids of jobs from one to another, both included; as hexadecimal digits without hyphens. */
export interface IdRange {
  readonly from: string;
  readonly to: string;
}

const LOWEST = '0'.repeat(32);
const HIGHEST = 'f'.repeat(32);
/**
 * An id has the milliseconds of its making by the clock of a replica, its job the time of the database's:
 * the two may differ by this much.
 */
const CLOCK_DIFFERENCE_MS = 60_000;

/**
 * Where the ids of jobs lie that a filter can take: ids sort by the time of submission, and no job ends before
 * it was submitted.
 * @param before a cursor: only those before this id; null: from the newest
 */
export function idRangeOf(filter: JobFilter, before: string | null): IdRange {
  const { createdAfter, createdBefore, endedBefore, idPrefix } = filter;
  const from = [
    createdAfter === null ? LOWEST : idAt(createdAfter.getTime() - CLOCK_DIFFERENCE_MS),
    idPrefix === null ? LOWEST : idPrefix.padEnd(32, '0'),
  ];
  const to = [
    createdBefore === null ? HIGHEST : idAt(createdBefore.getTime() + CLOCK_DIFFERENCE_MS),
    endedBefore === null ? HIGHEST : idAt(endedBefore.getTime() + CLOCK_DIFFERENCE_MS),
    idPrefix === null ? HIGHEST : idPrefix.padEnd(32, 'f'),
    before === null ? HIGHEST : idBefore(before),
  ];
  return {
    from: from.reduce((one, other) => (one > other ? one : other)),
    to: to.reduce((one, other) => (one < other ? one : other)),
  };
}

/** The lowest id that is made at a moment or later. */
const idAt = (milliseconds: number): string =>
  Math.min(Math.max(milliseconds, 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0')
    .padEnd(32, '0');

const idBefore = (id: string): string => {
  const before = BigInt(`0x${id.replaceAll('-', '')}`) - 1n;
  return before < 0n ? LOWEST : before.toString(16).padStart(32, '0');
};
