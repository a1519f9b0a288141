import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from '../cli-error.js';

/** The organization of the examples; any UUID would do. */
export const EXAMPLE_ORGANIZATION = '5eed0000-0000-4000-8000-000000000001';

/**
 * A token of a checkout of the project, signed with its development key by its own command.
 * @param scope as `npm run token` takes it
 * @throws CliError when the folder is in no checkout, or the command says no
 */
export async function developmentToken(org: string, scope: string | undefined): Promise<string> {
  const root = await checkout(process.cwd());
  const args = ['scripts/run.mjs', 'dist/cli/token.js', '--org', org];
  const asked = scope === undefined ? args : [...args, '--scope', scope];
  const child = spawn(process.execPath, asked, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let token = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    token += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code === 0) return token.trim();
  throw usageError(
    'There is no development token to be had.',
    'What the command above says may help; npm run token -- --help tells what it can do.',
  );
}

/** The nearest folder above that is the project's own. */
async function checkout(folder: string): Promise<string> {
  try {
    const { name } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
      name?: string;
    };
    if (name === 'headframe') return folder;
  } catch {
    // Nothing here: further up.
  }
  const above = path.dirname(folder);
  if (above !== folder) return checkout(above);
  throw usageError(
    'This folder is in no checkout of the project, which has the development key.',
    'Go there, or sign in with a token: headframe login --token -',
  );
}
