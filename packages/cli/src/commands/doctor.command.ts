import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import { command, type Context, doing, type Runtime } from '../command.js';
import { EXIT, type ExitCode } from '../exit-code.js';

/** Where the service's own doctor is: in the image, where this command is one file, and in a checkout. */
const PLACES = ['../../dist/cli/doctor.js', '../../../../dist/cli/doctor.js'];

/**
 * The doctor needs the database, which clients never see: it is a program of the service, and this command
 * only a way to it.
 */
export function doctorCommand(runtime: Runtime): Command {
  const doctor = command(
    'doctor',
    'Where the service is installed: check what it needs, and say what to do',
    [
      ['headframe doctor', 'database, migrations, rights, clock, keys, workers, disk'],
      ['headframe doctor --json', 'for machines; exits with 1 if something failed'],
    ],
  );
  return doing(doctor, runtime, examine);
}

async function examine({ surroundings, terminal }: Context): Promise<ExitCode> {
  const program = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(
    existsSync,
  );
  if (program === undefined) {
    throw new CliError(
      EXIT.usage,
      'the service is not installed here',
      'Run it where the service runs: npm run doctor in its folder, or in its container\ndocker compose exec api headframe doctor',
    );
  }
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', program, ...(terminal.isJson ? ['--json'] : [])],
    { env: surroundings.env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child.stdout.setEncoding('utf8').on('data', (text: string) => surroundings.stdout.write(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => surroundings.stderr.write(text));
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? EXIT.succeeded : EXIT.failed;
}
