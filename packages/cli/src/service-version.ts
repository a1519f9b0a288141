import { RequestError, UnexpectedAnswerError } from 'headframe-client';
import type { SessionOptions } from './session/session.js';
import { Session } from './session/session.js';
import type { Surroundings } from './surroundings.js';
import { Terminal } from './terminal/terminal.js';

const TIMEOUT_MS = 3_000;

/**
 * What the version of the service has to do with an answer that was not understood: it is asked for only
 * then.
 * @returns null when it has nothing to do with it, or cannot be had
 */
export async function versionNote(
  error: unknown,
  options: SessionOptions,
  surroundings: Surroundings,
): Promise<string | null> {
  const isStrange =
    error instanceof UnexpectedAnswerError ||
    (error instanceof RequestError && [404, 405, 406, 501].includes(error.status));
  if (!isStrange) return null;
  const silent = new Terminal(surroundings, { json: false, quiet: true, color: false });
  try {
    const { url } = await Session.open(options, surroundings, silent);
    const version = await versionOf(url);
    if (version === surroundings.version) return null;
    return version === null
      ? `What answers at ${url} does not say that it is Headframe.`
      : `The service at ${url} is version ${version}, this command ${surroundings.version}: ` +
          'with the same version they understand each other.';
  } catch {
    return null;
  }
}

/** @returns null when what answers is something else */
async function versionOf(url: string): Promise<string | null> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/openapi.json`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  try {
    const { info } = (await response.json()) as { info?: { title?: string; version?: string } };
    return info?.title?.startsWith('Headframe') === true ? (info.version ?? null) : null;
  } catch {
    return null;
  }
}
