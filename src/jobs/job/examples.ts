/** An organization for examples: of the demo, and of Swagger UI, so that the demo's token works there. */
export const EXAMPLE_ORGANIZATION = '5eed0000-0000-4000-8000-000000000001';

export const EXAMPLE_JOB = '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00';
export const EXAMPLE_JOB_URL = `https://headframe.example/compute/orgs/${EXAMPLE_ORGANIZATION}/geostatistics/kriging/${EXAMPLE_JOB}`;

/** What became of a job whose task threw. */
export const TASK_FAILED = {
  status: 500,
  type: 'urn:headframe:problem/task-failed',
  title: 'The task failed.',
  detail: 'The task failed unexpectedly: the log of the worker says why.',
};
