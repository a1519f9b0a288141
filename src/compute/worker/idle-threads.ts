/**
 * How many threads each of some jobs may use when they share those of idle slots: as equal parts as there are,
 * the larger ones for the jobs that started first.
 * @param idle threads that no job needs for itself; below 0 counts as none
 * @returns at least 1 each
 */
export function threadsOfEach(jobs: number, idle: number): number[] {
  const lent = Math.max(0, idle);
  return Array.from(
    { length: jobs },
    (_, index) => 1 + Math.floor((lent + jobs - 1 - index) / jobs),
  );
}
