// What a benchmark has started is stopped again: at its end, when it fails, on SIGINT and SIGTERM.
/** @type {(() => unknown)[]} */
const steps = [];

/**
 * Remembers how to undo something; the last to be remembered is the first to be undone.
 * @param {() => unknown} step may be called before the end too: give it only what can run twice
 */
export function atEnd(step) {
  steps.push(step);
}

/**
 * Runs a benchmark to its end and cleans up, whatever happens; sets the exit code.
 * @param {() => Promise<void>} benchmark
 * @param {{minutes: number}} limit it is stopped after this long
 */
export async function runBenchmark(benchmark, { minutes }) {
  let interrupt;
  const interrupted = new Promise((_, reject) => {
    interrupt = (reason) => reject(new Error(`stopped: ${reason}`));
  });
  const deadline = setTimeout(
    () => interrupt(`over its limit of ${minutes} minutes`),
    minutes * 6e4,
  );
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  // Such as that nobody reads the output any more.
  process.on('uncaughtException', (error) => interrupt(error.message));
  try {
    await Promise.race([benchmark(), interrupted]);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    clearTimeout(deadline);
    await cleanUp();
  }
  // What an interrupted benchmark still has open must not keep the process.
  process.exit();
}

async function cleanUp() {
  while (steps.length > 0) {
    await Promise.resolve()
      .then(steps.pop())
      .catch((error) => console.error(error));
  }
}
