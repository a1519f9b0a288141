import { jobProblem } from '../../jobs/job.problems.js';
import { type ProblemSlug, problemType } from '../../platform/http/problem.js';
import type { TaskOutcome } from '../attempt.js';
import type { ProcessTask } from '../task.js';
import { outcomeOfResults, resultsTooLarge } from '../task.results.js';
import type { ProcessEnd } from './process.group.js';
import type { ProcessLimits, ProcessReport } from './process.output.js';

/**
 * What a command came to: what it said goes before how it ended.
 * @param end null when it was never started
 */
export function outcomeOf(
  end: ProcessEnd | null,
  report: ProcessReport,
  task: ProcessTask,
  limits: ProcessLimits,
): TaskOutcome {
  const { excess, problem, retryLaterSeconds } = report;
  if (excess === 'results') {
    return resultsTooLarge(limits.longestLine);
  }
  if (excess === 'output') {
    return failed(
      'output-too-large',
      `The command wrote more than ${limits.mostOutput} bytes, and was stopped.`,
    );
  }
  if (retryLaterSeconds !== null) {
    return { kind: 'postponed', afterSeconds: retryLaterSeconds };
  }
  if (problem !== null) {
    const { status, title, detail, slug = 'task-failed' } = problem;
    return {
      kind: 'failed',
      retryable: false,
      problem: { status, type: problemType(slug), title, detail },
    };
  }
  if (end === null) {
    return failed(
      'task-failed',
      'The command of the task cannot be started: the log of the job says more.',
      true,
    );
  }
  if (end.code !== 0) {
    return failed(
      'task-failed',
      `The command ${howItEnded(end)}: the log of the job says more.`,
      true,
    );
  }
  return outcomeOfReturned(report, task);
}

function howItEnded({ code, signal }: ProcessEnd): string {
  if (signal === 'SIGKILL') {
    return 'was ended by the signal SIGKILL, as when memory runs out';
  }
  return signal === null ? `ended with exit code ${code}` : `was ended by the signal ${signal}`;
}

function outcomeOfReturned(report: ProcessReport, task: ProcessTask): TaskOutcome {
  const { results, resultsFault, unusableLines } = report;
  if (resultsFault !== null) {
    return failed(
      'invalid-results',
      `The task returned results that cannot be kept: ${resultsFault}.`,
    );
  }
  if (results === null) {
    const lines =
      unusableLines === 0 ? '' : `, and ${unusableLines} lines of its output were no messages`;
    return failed(
      'invalid-results',
      `The command ended without results${lines}: the log of the job says more.`,
    );
  }
  const fault = task.results.fillAndFaultOf(results, 'results');
  if (fault !== null) {
    return failed(
      'invalid-results',
      'The task returned results that its own schema refuses.',
      false,
      `${fault.name}: ${fault.reason}`,
    );
  }
  return outcomeOfResults(results);
}

function failed(slug: ProblemSlug, detail: string, retryable = false, stack?: string): TaskOutcome {
  return {
    kind: 'failed',
    retryable,
    problem: jobProblem(slug, detail),
    ...(stack !== undefined && { stack }),
  };
}
