// Single adds, each awaited by its caller.

/**
 * @param {{add(): Promise<unknown>}} queue
 * @param {{callers: number, seconds: number}} options
 * @returns {Promise<number>} adds a second
 */
export async function addRate(queue, { callers, seconds }) {
  const began = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() - began < seconds * 1_000) {
        await queue.add();
        count += 1;
      }
    }),
  );
  return (1_000 * count) / (performance.now() - began);
}
