// The whole gate: every step runs, each reports in one line, and a failing one shows what it
// printed. `--without tests` leaves a step out (may be repeated), `--only lint` runs that one alone.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @type {Record<string, {program: string[], fix?: string}>} run by this Node, from the project's folder */
const STEPS = {
  format: {
    program: ['node_modules/oxfmt/bin/oxfmt', '--check', '.'],
    fix: 'npx oxfmt .',
  },
  lint: { program: ['node_modules/oxlint/bin/oxlint', '--type-aware'] },
  types: { program: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  'dead-code': { program: ['node_modules/knip/bin/knip.js', '--no-config-hints'] },
  tests: { program: ['node_modules/vitest/vitest.mjs', 'run'] },
  openapi: {
    program: ['dist/cli/openapi.js', '--check'],
    fix: 'node dist/cli/openapi.js, and read what has changed for clients',
  },
  metrics: {
    program: ['dist/cli/metrics.js', '--check'],
    fix: 'npm run metrics',
  },
  migrations: {
    program: ['scripts/migration.mjs', '--check'],
    fix: 'npm run migration -- <name>',
  },
  'current-sql': {
    program: ['scripts/current.mjs', '--check'],
    fix: 'npm run current',
  },
};

const chosen = choose(process.argv.slice(2));
const failed = [];
for (const name of chosen) {
  const { program, fix } = STEPS[name];
  const started = Date.now();
  const { ok, output } = await run(program);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(11)}  ${seconds.padStart(5)} s`);
  if (ok) continue;
  failed.push(name);
  console.log(`\n${output.trimEnd()}\n${fix === undefined ? '' : `\nTo mend it: ${fix}\n`}`);
}
if (failed.length > 0) {
  console.log(`\nFailed: ${failed.join(', ')}.`);
  process.exitCode = 1;
}

/** The names of the steps to run. @param {string[]} args */
function choose(args) {
  const names = Object.keys(STEPS);
  try {
    const { values } = parseArgs({
      args,
      options: {
        without: { type: 'string', multiple: true, default: [] },
        only: { type: 'string', multiple: true, default: names },
      },
    });
    const unknown = [...values.without, ...values.only].find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`There is no step ${unknown}.`);
    return names.filter((name) => values.only.includes(name) && !values.without.includes(name));
  } catch (error) {
    console.error(`${error.message} Steps: ${names.join(', ')}.`);
    return process.exit(2);
  }
}

/** @param {string[]} program @returns {Promise<{ok: boolean, output: string}>} */
function run(program) {
  const child = spawn(process.execPath, program, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}
