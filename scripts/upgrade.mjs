// Tries an upgrade from the release before the newest migration: builds that from the history, then runs
// test/upgrade with it (npm run test:upgrade). `--build <folder>` takes a build that is there.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { build: { type: 'string' } } });

/** @param {string[]} words */
const git = (...words) =>
  execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** Names of the migrations that a commit has. @param {string} commit */
const migrationsOf = (commit) =>
  git('ls-tree', '--name-only', commit, 'prisma/migrations/')
    .split('\n')
    .filter((name) => /\/\d+_/.test(name));

/**
 * The newest commit that lacks the newest migrations, and has none that is not there any more: its database
 * can be brought up to date. Null in a history that does not reach so far back.
 */
function previousRelease() {
  try {
    const now = migrationsOf('HEAD');
    return (
      git('rev-list', '--first-parent', 'HEAD')
        .trim()
        .split('\n')
        .find((commit) => {
          const then = migrationsOf(commit);
          return (
            then.length > 0 && then.length < now.length && then.every((name) => now.includes(name))
          );
        }) ?? null
    );
  } catch {
    return null;
  }
}

/** Builds a commit. @param {string} commit @returns {string} its folder */
function build(commit) {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-previous-'));
  const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  // With the packages of today: the lock file of then would take them from the registry once more.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [program, ...words] of [
    ['scripts/setup/database-client.mjs'],
    ['node_modules/@nestjs/cli/bin/nest.js', 'build'],
    ['scripts/setup/bundle.mjs'],
  ]) {
    if (!existsSync(join(folder, program))) continue;
    const { status } = spawnSync(process.execPath, [program, ...words], {
      cwd: folder,
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`${commit} could not be built: ${program} failed.`);
  }
  return folder;
}

const commit = values.build === undefined ? previousRelease() : null;
if (values.build === undefined && commit === null) {
  console.log(
    'The upgrade is not tried: the history here does not reach back to a build before the newest migration (git fetch --unshallow).',
  );
  process.exit(0);
}
if (commit !== null) console.log(`Building ${git('log', '-1', '--format=%h %s', commit).trim()}`);
const folder = values.build ?? build(/** @type {string} */ (commit));
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/upgrade', '--disable-console-intercept'],
  { cwd: root, stdio: 'inherit', env: { ...process.env, HEADFRAME_TEST_PREVIOUS: folder } },
);
if (values.build === undefined) rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
