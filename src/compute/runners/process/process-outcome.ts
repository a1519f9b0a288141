import type { AttemptOutcome } from '../../../jobs/lease/attempt-outcome.js';
import { jobProblem } from '../../../jobs/job/job-problems.js';
import type { ProblemSlug } from '../../../platform/http/problem/problem.js';
import type { ProcessTask } from '../../task.js';
import { outcomeOfResults, resultsTooLarge } from '../task-results.js';
import { keptProblem } from '../../task.problem.js';
import type { ProcessEnd } from './group/process-group.js';
import type { ProcessLimits, ProcessReport } from './process-output.js';

/**
 * What a command came to: what it said goes before how it ended.
 * @param end null when it was never started
 * @param stopped whether it was stopped here: then how it ended says nothing, and it must have answered
 * @param hint why it may have failed, if its files tell
 */
export function outcomeOf(
  end: ProcessEnd | null,
  report: ProcessReport,
  task: ProcessTask,
  limits: ProcessLimits,
  { stopped = false, hint = null }: { stopped?: boolean; hint?: string | null } = {},
): AttemptOutcome {
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
    return { kind: 'failed', retryable: false, problem: keptProblem(problem) };
  }
  if (end === null) {
    return failed(
      'task-failed',
      'The command of the task cannot be started: the log of the job says more.',
      true,
    );
  }
  if (end.code !== 0 && !stopped) {
    return failed('task-failed', `The command ${howItEnded(end)}${whyOf(report, hint)}.`, true);
  }
  return outcomeOfReturned(report, task, stopped);
}

function howItEnded({ code, signal }: ProcessEnd): string {
  if (signal === 'SIGKILL') {
    return 'was ended by the signal SIGKILL, as when memory runs out';
  }
  return signal === null ? `ended with exit code ${code}` : `was ended by the signal ${signal}`;
}

function whyOf({ logged }: ProcessReport, hint: string | null): string {
  if (hint !== null) {
    return `: ${hint}`;
  }
  return logged
    ? ': the log of the job says more'
    : ' and wrote nothing to standard error, so that nobody knows why: let it say there what went wrong';
}

function outcomeOfReturned(
  report: ProcessReport,
  task: ProcessTask,
  stopped: boolean,
): AttemptOutcome {
  const { results, unusableLines, overLines, logged } = report;
  const resultsFault = report.resultsFault ?? (stopped ? null : report.unfinishedFault);
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
      `The command ended without results${lines}: ${
        overLines
          ? 'one of them is the beginning of JSON that goes on in the next, but a message must stand whole in one line, without indentation'
          : logged
            ? 'the log of the job says more'
            : 'it wrote nothing at all, so let it write {"results": {…}} as a line of standard output'
      }.`,
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

function failed(
  slug: ProblemSlug,
  detail: string,
  retryable = false,
  stack?: string,
): AttemptOutcome {
  return {
    kind: 'failed',
    retryable,
    problem: jobProblem(slug, detail),
    ...(stack !== undefined && { stack }),
  };
}
