import { open } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { ProcessEnd } from '../group/process-group.js';
import { executableOf } from '../group/process-environment.js';

/** More of a script is not looked at: its first line names the interpreter. */
const LOOKED_AT = 256;
/** What shells answer when a program cannot be executed, and when it is not there. */
const CODE_HINTS: ReadonlyMap<number, string> = new Map([
  [
    126,
    'something that it calls is there but cannot be executed: see the log of the job, and its permissions',
  ],
  [
    127,
    'something that it calls was not found: see the log of the job, and the PATH of the service',
  ],
]);

/**
 * Why a command that failed may have failed, as far as its own files tell: shells say only that
 * something was not found.
 * @param command with its placeholders filled in
 * @param path where programs are looked for
 * @returns half a sentence without the names of files, or null
 */
export async function hintOf(
  command: readonly string[],
  { code }: ProcessEnd,
  path: string,
): Promise<string | null> {
  const program = await executableOf(command[0] ?? '', path);
  const files = [program, ...command.slice(1).filter((word) => isAbsolute(word))];
  for (const file of new Set(files)) {
    const hint = file === null ? null : await hintOfScript(file, path);
    if (hint !== null) {
      return hint;
    }
  }
  return CODE_HINTS.get(code ?? 0) ?? null;
}

async function hintOfScript(file: string, path: string): Promise<string | null> {
  const beginning = await beginningOf(file);
  if (beginning.startsWith('\uFEFF#!')) {
    return 'its script begins with a byte order mark (BOM), which hides the interpreter: save it as UTF-8 without one';
  }
  const [, line = ''] = /^#!([^\n]*)\n/.exec(beginning) ?? [];
  if (line.endsWith('\r')) {
    return "the first line of its script ends with a carriage return (CRLF), which counts as part of the interpreter's name: save it with Unix line ends (LF)";
  }
  const [interpreter = ''] = line.trim().split(/\s+/);
  if (interpreter !== '' && (await executableOf(interpreter, path)) === null) {
    return 'the interpreter that the first line of its script names is not there, or cannot be executed';
  }
  return null;
}

/** Empty when it cannot be read. */
async function beginningOf(file: string): Promise<string> {
  const handle = await open(file).catch(() => null);
  try {
    const read = await handle?.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0);
    return read?.buffer.toString('utf8', 0, read.bytesRead) ?? '';
  } catch {
    return '';
  } finally {
    await handle?.close();
  }
}
