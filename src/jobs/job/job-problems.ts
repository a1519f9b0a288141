import {
  Problem,
  PROBLEMS,
  type ProblemBody,
  problemType,
  type ProblemSlug,
} from '../../platform/http/problem/problem.js';

/** A problem in the form that a job keeps as its `error`. */
export function jobProblem(slug: ProblemSlug, detail: string): ProblemBody {
  return { status: PROBLEMS[slug][0], type: problemType(slug), title: PROBLEMS[slug][1], detail };
}

export const JOB_CANCELED: ProblemBody = jobProblem(
  'job-canceled',
  'A client canceled the job: submit it again if it is still wanted.',
);

export const JOB_EXPIRED: ProblemBody = jobProblem(
  'job-expired',
  'No worker started the job within the expires_after of its options: submit it again, with more time or none.',
);

export const WORKER_LOST: ProblemBody = jobProblem(
  'worker-lost',
  'Every worker that ran the job was lost: the task may need more memory than a worker has, or end its process. Submit it with smaller parameters, or ask the operator to look at the log.',
);

/** @throws Problem the same for a job that never was and for another organization's */
export function noSuchJob(): never {
  throw new Problem(
    'not-found',
    'There is no such job under this organization, topic and task: check all three and the job id.',
  );
}
