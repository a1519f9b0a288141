import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { usageError } from '../cli-error.js';
import { reasonOf } from '../whole-file.js';
import { assign, isAssignment, merge } from './assignments.js';

/** More than any service takes; a wrong file is found out before it fills the memory. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Parameters of files, standard input (`-`) and `name=value`, in their order: later ones go over earlier ones.
 * @param parameters what they go over, and which is changed
 * @throws CliError for what cannot be read or is no JSON object
 */
export async function readParameters(
  sources: readonly string[],
  stdin: Readable,
  parameters: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  for (const source of sources) {
    if (isAssignment(source)) assign(parameters, source);
    else merge(parameters, objectIn(await readText(source, stdin), source));
  }
  return parameters;
}

/** The bytes of a file, or of standard input. */
export async function readBytes(source: string, stdin: Readable): Promise<Buffer> {
  if (source === '-') return bytesOf(stdin, 'standard input');
  try {
    const file = await open(source);
    try {
      return await bytesOf(file.createReadStream({ autoClose: false }), source);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw usageError(
      `${source} cannot be read: ${reasonOf(error)}.`,
      'Name another file, - for standard input, or name=value.',
    );
  }
}

async function readText(source: string, stdin: Readable): Promise<string> {
  const bytes = await readBytes(source, stdin);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(
      `${source} is not written in UTF-8.`,
      `Convert it: iconv -f WINDOWS-1252 -t UTF-8 ${source} > utf8.json`,
    );
  }
}

async function bytesOf(stream: Readable, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as string);
    chunks.push(bytes);
    size += bytes.length;
    if (size > MAX_BYTES) {
      throw usageError(
        `${name} has more than ${MAX_BYTES / 1024 / 1024} MiB.`,
        'No service takes that much: is it the right file?',
      );
    }
  }
  return Buffer.concat(chunks);
}

function objectIn(text: string, source: string): object {
  const name = source === '-' ? 'Standard input' : source;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageError(
      `${name} is not JSON: ${(error as Error).message}.`,
      'Parameters are a JSON object, such as {"seconds": 3}; or set members by name=value.',
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw usageError(
    `${name} holds no JSON object.`,
    'Parameters are an object, such as {"seconds": 3}.',
  );
}
