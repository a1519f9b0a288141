// npm run test:mutants -- [--only <part of a name>]
// Breaks the engine in one way after the other, in a copy, and looks whether the proofs notice. Exits
// with 1 when a proof that must notice a mutant does not. --only runs those whose name has the text.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants/catalogue.mjs';
import { edited, extentOf } from './mutants/places.mjs';
import { PROOFS } from './mutants/proofs.mjs';

/** @typedef {import('./mutants/catalogue.mjs').Mutant} Mutant */
/** @typedef {keyof typeof PROOFS} Proof */

const root = fileURLToPath(new URL('..', import.meta.url));
const copy = join(root, '.mutants');
const report = join(copy, 'report.json');
/** It ends at the first that fails: more than `npm test` makes cost little here. */
const MODEL_RUNS = '1000';
const COPIED = ['src', 'test', 'prisma', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const chosen = MUTANTS.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) {
  console.error(`No mutant has "${values.only}" in its name.`);
  process.exit(2);
}
process.exitCode = 1;
/** @type {import('node:child_process').ChildProcess | null} */
let running = null;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    running?.kill();
    rmSync(copy, { recursive: true, force: true });
    process.exit(1);
  });
}
try {
  chosen.forEach(assertApplicable);
  makeCopy();
  if (await runAll(chosen)) process.exitCode = 0;
} finally {
  rmSync(copy, { recursive: true, force: true, maxRetries: 3 });
}

/** @param {Mutant[]} mutants @returns {Promise<boolean>} whether none survived */
async function runAll(mutants) {
  const used = /** @type {Proof[]} */ ([...new Set(mutants.flatMap(({ proofs }) => proofs))]);
  const healthy = await run(used);
  const sick = used.filter((proof) => healthy.get(proof) !== 0);
  if (sick.length > 0) {
    console.error(`These fail without any mutant: ${sick.join(', ')}.`);
    return false;
  }
  console.log(`All proofs pass without a mutant: ${used.join(', ')}.\n`);
  console.log('| Mutant | Killed by (failing tests) | Survived | s |\n|---|---|---|---|');
  let survivors = 0;
  for (const mutant of mutants) {
    const started = Date.now();
    const failures = await withMutant(mutant, () => run(mutant.proofs));
    const told = (/** @type {Proof[]} */ proofs) =>
      proofs.map((proof) => `${proof} (${failures.get(proof) ?? 'did not run'})`).join(', ');
    const killers = mutant.proofs.filter((proof) => (failures.get(proof) ?? 0) > 0);
    const survived = mutant.proofs.filter((proof) => !killers.includes(proof));
    survivors += survived.length > 0 ? 1 : 0;
    const seconds = ((Date.now() - started) / 1_000).toFixed(0);
    console.log(`| ${mutant.name} | ${told(killers)} | ${told(survived)} | ${seconds} |`);
  }
  console.log(
    survivors === 0
      ? `\nEvery mutant (${mutants.length}) was killed by every proof that must notice it.`
      : `\nMutants that survived a proof: ${survivors} of ${mutants.length}. A test is missing, or too weak.`,
  );
  return survivors === 0;
}

/** A mutant that no longer fits the code would prove nothing. @param {Mutant} mutant */
function assertApplicable({ name, place, edits }) {
  try {
    const { file, start, end } = extentOf(root, place);
    edited(readFileSync(join(root, file), 'utf8').slice(start, end), edits);
  } catch (error) {
    throw new Error(`The mutant "${name}" does not fit the code any more.`, { cause: error });
  }
}

function makeCopy() {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of COPIED) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
}

/** @template T @param {Mutant} mutant @param {() => Promise<T>} use @returns {Promise<T>} */
async function withMutant({ place, edits }, use) {
  const { file, start, end } = extentOf(copy, place);
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    text.slice(0, start) + edited(text.slice(start, end), edits) + text.slice(end),
  );
  try {
    return await use();
  } finally {
    writeFileSync(path, text);
  }
}

/** @param {Proof[]} proofs @returns {Promise<Map<Proof, number>>} how many tests failed; none when it did not run */
async function run(proofs) {
  rmSync(report, { force: true });
  const output = await vitest(proofs.map((proof) => PROOFS[proof]));
  if (!existsSync(report)) {
    throw new Error(`The tests did not run at all:\n${output}`);
  }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failures = new Map();
  for (const proof of proofs) {
    const tests = testResults
      .filter((/** @type {{name: string}} */ { name }) =>
        name.replaceAll('\\', '/').endsWith(PROOFS[proof]),
      )
      .flatMap(
        (/** @type {{assertionResults: {status: string}[]}} */ file) => file.assertionResults,
      );
    const count = (/** @type {string} */ status) =>
      tests.filter((/** @type {{status: string}} */ test) => test.status === status).length;
    // What fails before its first test proves nothing.
    if (count('passed') + count('failed') > 0) failures.set(proof, count('failed'));
  }
  return failures;
}

/** @param {string[]} files @returns {Promise<string>} what it printed */
function vitest(files) {
  const child = spawn(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      '--reporter=json',
      `--outputFile=${report}`,
    ],
    {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MODEL_RUNS, MODEL_SHRINK: 'false' },
    },
  );
  running = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(`${output}\n(ended with ${signal ?? code})`));
  });
}
