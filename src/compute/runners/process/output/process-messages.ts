import { isUtf8 } from 'node:buffer';
import { parseIJson, placeOf } from '../../../../platform/http/body/i-json.js';
import { faultOfJson } from '../../../../platform/http/body/json-fault.js';
import { Problem } from '../../../../platform/http/problem/problem.js';
import { TaskProblem, type TaskProblemBody } from '../../../task.problem.js';

/** What a command says in one line of its standard output. */
export interface ProcessMessage {
  readonly progress?: number;
  readonly message?: string;
  readonly results?: Readonly<Record<string, unknown>>;
  readonly problem?: TaskProblemBody;
  readonly retryLaterSeconds?: number;
}

/** A line that is no message. The reason is for the log of the job, and has nothing of the line. */
export class UnusableLine extends Error {
  override readonly name = 'UnusableLine';

  constructor(
    readonly reason: string,
    /** Whether these were to be the results. */
    readonly isResults = false,
    /** Whether it is only the beginning of a JSON document. */
    readonly isCutOff = false,
  ) {
    super(reason);
  }
}

/** The shortest and the longest postponement, in seconds. */
const SHORTEST_WAIT = 1;
const MAX_WAIT = 86_400;
const OPENING_BRACE = 0x7b;
/** More than this of a line is not looked at to find out what it was to be. */
const LOOKED_AT = 200;

/**
 * Reads one line: a JSON object of which at least one member is known; others are ignored. The text is
 * judged as request bodies are (I-JSON): what passes can be stored.
 * @returns null for a blank line
 * @throws UnusableLine
 */
export function parseMessage(line: Buffer): ProcessMessage | null {
  const first = line.find((byte) => byte > 0x20);
  if (first === undefined) {
    return null;
  }
  // Most of what is no message shows it at once, and cheaply.
  if (first !== OPENING_BRACE) {
    throw new UnusableLine(
      line.includes(0) ? 'has NUL bytes: write UTF-8, not UTF-16' : 'is no JSON object',
    );
  }
  const value = parse(line) as Record<string, unknown>;
  const message: ProcessMessage = {
    ...(value.progress !== undefined && { progress: progressOf(value.progress) }),
    ...(value.message !== undefined && { message: messageOf(value.message) }),
    ...(value.results !== undefined && { results: resultsOf(value.results) }),
    ...(value.problem !== undefined && { problem: problemOf(value.problem) }),
    ...(value.retry_later !== undefined && { retryLaterSeconds: waitOf(value.retry_later) }),
  };
  if (Object.keys(message).length === 0) {
    throw new UnusableLine('has none of progress, message, results, problem and retry_later');
  }
  return message;
}

function parse(line: Buffer): unknown {
  try {
    return parseIJson(line);
  } catch (error) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    throw unusable(line, error);
  }
}

/** A fault of the text is given with its column; one that JSON allows, with its place in the document. */
function unusable(line: Buffer, { slug, extra }: Problem): UnusableLine {
  // What nests too deep is no malformed request: the search for a fault would follow it down.
  const isText = isUtf8(line);
  const fault = slug === 'malformed-request' && isText ? faultOfJson(line.toString()) : null;
  if (fault !== null) {
    const name = placeOf(fault.path);
    // There is but one line.
    const place = fault.place.replace(/^line 1, /, '');
    const advice = fault.isCutOff ? 'a message must stand whole in one line' : fault.advice;
    return new UnusableLine(
      `${name} ${fault.what} (${place}): ${advice}`.trimStart(),
      fault.path[0] === 'results' || beginsResults(line),
      fault.isCutOff,
    );
  }
  const [kept] = extra.invalidParams ?? [];
  const isResults = kept === undefined ? beginsResults(line) : /^results\b/.test(kept.name);
  return new UnusableLine(
    kept !== undefined
      ? `${kept.name} ${kept.reason}`.trimStart()
      : isText
        ? 'has a member more than once in one object'
        : 'is not valid UTF-8',
    isResults,
  );
}

const beginsResults = (line: Buffer): boolean =>
  /^\s*\{\s*"results"\s*:/.test(line.subarray(0, LOOKED_AT).toString());

function progressOf(progress: unknown): number {
  if (typeof progress !== 'number') {
    throw new UnusableLine('progress must be a number from 0 to 100');
  }
  return progress;
}

function messageOf(message: unknown): string {
  if (typeof message !== 'string') {
    throw new UnusableLine('message must be a text');
  }
  return message;
}

function resultsOf(results: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(results)) {
    throw new UnusableLine('results must be an object', true);
  }
  return results;
}

function waitOf(seconds: unknown): number {
  if (typeof seconds !== 'number') {
    throw new UnusableLine('retry_later must be a number of seconds');
  }
  return Math.min(MAX_WAIT, Math.max(SHORTEST_WAIT, seconds));
}

function problemOf(problem: unknown): TaskProblemBody {
  if (!isObject(problem)) {
    throw new UnusableLine('problem must be an object');
  }
  const { status, slug } = problem;
  if (typeof status !== 'number' || (slug !== undefined && typeof slug !== 'string')) {
    throw new UnusableLine('problem.status must be a number, and problem.slug a string');
  }
  const body = {
    status,
    title: textOf(problem.title, 'problem.title'),
    detail: textOf(problem.detail, 'problem.detail'),
    ...(slug !== undefined && { slug }),
  };
  try {
    return new TaskProblem(body).problem;
  } catch {
    throw new UnusableLine('problem.status must be 400 to 599, and problem.slug like no-ore');
  }
}

function textOf(text: unknown, name: string): string {
  if (typeof text !== 'string' || text === '') {
    throw new UnusableLine(`${name} must be a text`);
  }
  return text;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
