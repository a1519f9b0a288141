import { type DestinationStream, pino } from 'pino';

const STANDARD_OUTPUT = 1;
/** What is kept of lines that cannot be written at the moment; more are dropped. */
const MAX_KEPT_BYTES = 1024 * 1024;

/**
 * Standard output, for the log. When it cannot be written to, because the disk behind it is full or its
 * reader is gone, lines are lost, and the service goes on: by itself pino would end the process, and then wait
 * at its end, without end, until the rest can be written.
 */
export function logDestination(): DestinationStream {
  const output = pino.destination({
    dest: STANDARD_OUTPUT,
    sync: false,
    maxLength: MAX_KEPT_BYTES,
  });
  let failing = false;
  output.on('error', () => {
    failing = true;
  });
  output.on('write', () => {
    failing = false;
  });
  const flushSync = output.flushSync.bind(output);
  output.flushSync = () => {
    if (!failing) {
      flushSync();
    }
  };
  return output;
}
