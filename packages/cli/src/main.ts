// The command `headframe`: what the process is goes in here, and an exit code comes out.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { EXIT } from './exit-code.js';
import { runProgram } from './run-program.js';
import { reasonOf } from './whole-file.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read it has enough.
  if (error.code === 'EPIPE') process.exit(EXIT.closedPipe);
  process.stderr.write(
    `headframe: the output cannot be written: ${reasonOf(error)}.\n` +
      'Write results to a file elsewhere: headframe results @latest -o FILE\n',
  );
  process.exit(EXIT.failed);
});
// Nobody is left to tell.
process.stderr.on('error', () => undefined);

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

process.exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  version,
  home: os.homedir(),
  onInterrupt(interrupted) {
    const stop = () => SIGNALS.forEach((signal) => process.off(signal, once));
    // A second Ctrl-C ends the process, whatever the first one waits for.
    const once = () => {
      stop();
      interrupted();
    };
    for (const signal of SIGNALS) process.on(signal, once);
    return stop;
  },
});
