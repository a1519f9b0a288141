import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { endRunning, run, withoutOuterNpm } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { fingerprint, readStamps, stamp } from './fingerprint.mjs';
import { install, isInstalled } from './install.mjs';
import { takeLock } from './lock.mjs';
import { complain, during } from './report.mjs';

/**
 * A part of the set-up: whether it has to be done, and how. A step is asked twice, before and after
 * the lock is taken, because another process may have done it meanwhile.
 * @typedef {{
 *   doing: string, done: string,
 *   needed(root: string): boolean,
 *   work(root: string, onStart: (pid: number) => void): Promise<void>,
 * }} Step
 */

/** @type {Step} */
const packages = {
  doing: 'Installing packages',
  done: 'Packages installed',
  needed: (root) => !isInstalled(root),
  work: install,
};

/** @type {Step} */
const client = stamped({
  name: 'client',
  doing: 'Generating the database client',
  done: 'Database client generated',
  from: ['prisma/schema.prisma', 'package-lock.json', 'scripts/setup/database-client.mjs'],
  makes: 'src/generated/prisma/client.ts',
  programs: [['scripts/setup/database-client.mjs']],
  env: {},
  failed: 'The database client could not be generated from prisma/schema.prisma.',
});

/** @type {Step} */
const contract = stamped({
  name: 'contract',
  doing: "Generating the API client's types",
  done: "API client's types generated",
  from: ['docs/openapi.json', 'package-lock.json', 'scripts/setup/contract.mjs'],
  makes: 'packages/client/src/generated/api.ts',
  programs: [['scripts/setup/contract.mjs']],
  env: {},
  failed:
    'The types could not be generated from docs/openapi.json. When that has conflicts, take either side\n' +
    'of it (git checkout --ours docs/openapi.json), and then let npm run openapi write it anew.',
});

/** @type {Step} */
const apiClient = stamped({
  name: 'api-client',
  doing: 'Building the API client',
  done: 'API client built',
  from: [
    'packages/client/src',
    'packages/client/tsconfig.json',
    'tsconfig.json',
    'package-lock.json',
  ],
  clears: 'packages/client/dist',
  makes: 'packages/client/dist/index.js',
  programs: [['node_modules/typescript/bin/tsc', '--project', 'packages/client']],
  env: {},
  failed: 'The build of the API client (packages/client) failed.',
});

/** @type {Step} */
const consolePages = stamped({
  name: 'console',
  doing: 'Building the console',
  done: 'Console built',
  from: [
    'packages/console/src',
    'packages/console/public',
    'packages/console/index.html',
    'packages/console/vite.config.ts',
    'packages/console/tsconfig.json',
    'packages/client/dist',
    'examples/meuse',
    'tsconfig.json',
    'package-lock.json',
    'scripts/setup/console-files.mjs',
  ],
  clears: 'packages/console/dist',
  makes: 'packages/console/dist/index.html',
  programs: [
    ['node_modules/typescript/bin/tsc', '--project', 'packages/console'],
    ['node_modules/vite/bin/vite.js', 'build', 'packages/console', '--logLevel', 'error'],
    ['scripts/setup/console-files.mjs'],
  ],
  env: {},
  failed: 'The build of the console (packages/console) failed.',
});

/** @type {Step} */
const commandLine = stamped({
  name: 'command-line',
  doing: 'Building the command line',
  done: 'Command line built',
  from: [
    'packages/cli/src',
    'packages/cli/tsconfig.json',
    'packages/client/dist',
    'tsconfig.json',
    'package-lock.json',
  ],
  clears: 'packages/cli/dist',
  makes: 'packages/cli/dist/main.js',
  programs: [['node_modules/typescript/bin/tsc', '--project', 'packages/cli']],
  env: {},
  failed: 'The build of the command line (packages/cli) failed.',
});

/** @type {Step} */
const build = stamped({
  name: 'build',
  doing: 'Building',
  done: 'Built',
  from: [
    'src',
    'packages/client/dist',
    'packages/cli/dist',
    'tsconfig.json',
    'tsconfig.build.json',
    'nest-cli.json',
    'package-lock.json',
    'scripts/setup/bundle.mjs',
  ],
  makes: 'dist/main.js',
  programs: [['node_modules/@nestjs/cli/bin/nest.js', 'build'], ['scripts/setup/bundle.mjs']],
  env: {},
  failed: 'The build failed.',
});

/**
 * Does what is missing; says in one message what went wrong, sets the exit code to 1 and answers false
 * then.
 * @param {string} root the project's folder, with a slash at its end
 * @param {{build: boolean}} options
 */
export async function setUp(root, options) {
  const prepared = [packages, client, contract, apiClient, commandLine, consolePages];
  const steps = options.build ? [...prepared, build] : prepared;
  /** @type {import('./lock.mjs').Lock | undefined} */
  let lock;
  let interrupted = false;
  /** @param {NodeJS.Signals} _signal @param {number} number */
  const interrupt = (_signal, number) => {
    interrupted = true;
    void endRunning().then(() => {
      lock?.release();
      process.exit(128 + number);
    });
  };
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    // A watcher writes into dist by itself: what lies there is then nobody's known state.
    if (!options.build && readStamps(root).build !== undefined) stamp(root, 'build', undefined);
    if (!steps.some((step) => step.needed(root))) return true;
    const held = await takeLock(root);
    lock = held;
    for (const step of steps) {
      if (step.needed(root)) await during(step, () => step.work(root, held.noteWorker));
    }
    return true;
  } catch (error) {
    if (!interrupted) complain(explain(error, root));
    process.exitCode = 1;
    return false;
  } finally {
    // An interrupted set-up gives its lock back when what it had started is really gone.
    if (!interrupted) {
      lock?.release();
      for (const signal of SIGNALS) process.off(signal, interrupt);
    }
  }
}

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * A step that runs programs one after the other, and is needed when what it reads has changed or what it
 * makes is gone. The folder that it clears holds nothing afterwards but what it has made.
 * @param {{
 *   name: string, doing: string, done: string, from: string[], clears?: string, makes: string,
 *   programs: string[][], env: Record<string, string>, failed: string,
 * }} step
 * @returns {Step}
 */
function stamped({ name, doing, done, from, clears, makes, programs, env, failed }) {
  return {
    doing,
    done,
    needed: (root) =>
      !existsSync(path.join(root, makes)) || readStamps(root)[name] !== fingerprint(root, from),
    async work(root, onStart) {
      // Forgotten first and taken before the work: an interruption, or an edit meanwhile, is done again.
      stamp(root, name, undefined);
      const before = fingerprint(root, from);
      if (clears !== undefined) rmSync(path.join(root, clears), { recursive: true, force: true });
      let printed = '';
      for (const program of programs) {
        const { ok, output } = await run(process.execPath, program, {
          cwd: root,
          env: { ...withoutOuterNpm(process.env), ...env },
          onStart,
        });
        printed += output;
        if (!ok) throw new SetupFailure(`${failed}\n\n${printed.trim()}`);
      }
      if (!existsSync(path.join(root, makes))) {
        throw new SetupFailure(`${failed} ${makes} was not made.\n\n${printed.trim()}`);
      }
      stamp(root, name, before);
    },
  };
}

/** @param {unknown} error @param {string} root */
function explain(error, root) {
  if (error instanceof SetupFailure) return error.message;
  if (!(error instanceof Error)) return String(error);
  switch (error.code) {
    case 'ENOSPC':
      return `The disk is full: free some space in ${root} and try again.\n${error.message}`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `This folder cannot be written: ${error.message}`;
    default:
      return error.stack ?? error.message;
  }
}
