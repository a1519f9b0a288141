import { CommanderError } from 'commander';
import {
  ConnectionError,
  JobCanceledError,
  JobError,
  JobFailedError,
  JobOngoingError,
  type Problem,
  RequestError,
  UnexpectedAnswerError,
} from 'headframe-client';
import { CliError } from './cli-error.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { jobName } from './job-name.js';
import type { Terminal } from './terminal/terminal.js';
import { printable } from './terminal/table.js';

/** A failure as it is told. */
export interface Failure {
  readonly exitCode: ExitCode;
  readonly message: string;
  /** What to do next. */
  readonly hint: string;
  readonly problem?: Problem;
  readonly requestId?: string | null;
}

const MAX_FAULTS = 10;
const BUSY = [408, 425, 429, 502, 503, 504];

/** What a thrown error means to people and scripts. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CliError) return error;
  if (error instanceof JobError) return jobFailure(error);
  if (error instanceof RequestError) return refusal(error);
  if (error instanceof ConnectionError) {
    return {
      exitCode: EXIT.unreachable,
      message: error.message,
      hint: 'Check the address (--url) and the network, and that the service runs.',
    };
  }
  if (error instanceof UnexpectedAnswerError) {
    return {
      exitCode: EXIT.unreachable,
      message: error.message,
      hint: 'Check that --url is the address of the service, and not that of something else.',
    };
  }
  return internal(error);
}

/** Tells a failure on standard error: to machines as JSON. */
export function report(failure: Failure, terminal: Terminal): void {
  const { message, hint, problem, requestId, exitCode } = failure;
  if (terminal.isJson) {
    const error = { message, hint, exit_code: exitCode, problem, request_id: requestId };
    terminal.complain(JSON.stringify({ error }));
    return;
  }
  terminal.complain(`${terminal.paintNote('red', 'headframe:')} ${printable(message)}`);
  if (hint !== '') terminal.complain(printable(hint));
  if (typeof requestId === 'string') {
    terminal.complain(terminal.paintNote('dim', `Request ${requestId}`));
  }
}

/** Whether commander has told what is wrong by itself, and how the command ends then. */
export function exitOf(error: CommanderError): ExitCode {
  return error.exitCode === 0 ? EXIT.succeeded : EXIT.usage;
}

function jobFailure(error: JobError): Failure {
  const name = jobName(error.job);
  if (error instanceof JobOngoingError) {
    return {
      exitCode: EXIT.usage,
      message: error.message,
      hint: `Wait for its end: headframe wait ${name}`,
    };
  }
  const { problem } = error as JobFailedError | JobCanceledError;
  const again = `Everything that is kept of it: headframe status ${name}`;
  return error instanceof JobCanceledError
    ? { exitCode: EXIT.canceled, message: error.message, hint: again, problem }
    : {
        exitCode: EXIT.failed,
        message: error.message,
        hint: `${again}\nWhat it wrote: headframe logs ${name}`,
        problem,
      };
}

function refusal(error: RequestError): Failure {
  const { status, problem, requestId } = error;
  const message = tellProblem(problem);
  const rest = { message, problem, requestId };
  if (status === 401) {
    return { ...rest, exitCode: EXIT.notPermitted, hint: 'Sign in again: headframe login' };
  }
  if (status === 403) {
    return {
      ...rest,
      exitCode: EXIT.notPermitted,
      hint: 'What the token grants: headframe token. Ask for one with the organization and scope that are missing.',
    };
  }
  if (BUSY.includes(status)) {
    return { ...rest, exitCode: EXIT.unreachable, hint: 'Try again in a moment.' };
  }
  if (status >= 500) {
    return {
      ...rest,
      exitCode: EXIT.failed,
      hint: 'Tell whoever runs the service the request below.',
    };
  }
  return { ...rest, exitCode: EXIT.usage, hint: adviceOn(status) };
}

/** What is wrong, where: a line for each fault, of which there may be hundreds. */
function tellProblem({ status, title, detail, ...problem }: Problem): string {
  const faults = problem['invalid-params'] ?? [];
  if (faults.length === 0) return [status, title, detail].filter(Boolean).join(' ');
  const shown = faults.slice(0, MAX_FAULTS).map(({ name, reason }) => `  ${name}: ${reason}`);
  const others = faults.length > MAX_FAULTS ? [`  and ${faults.length - MAX_FAULTS} more`] : [];
  return [`${status} ${title}`, ...shown, ...others].join('\n');
}

function adviceOn(status: number): string {
  switch (status) {
    case 404:
      return 'Which jobs there are: headframe list. Which tasks: headframe tasks';
    case 413:
      return 'Send less at once, or ask whoever runs the service for a larger limit.';
    case 422:
      return 'What a task takes: headframe tasks show TOPIC/TASK';
    default:
      return 'headframe COMMAND --help has examples.';
  }
}

function internal(error: unknown): Failure {
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: EXIT.failed,
    message: `Something went wrong here: ${told}`,
    hint: 'This is a mistake of headframe itself. Please report it, with what you did.',
  };
}
