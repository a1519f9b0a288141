import type { ResultsOf } from 'headframe-client';

/** The numbers of a finished job, for people. @param seconds from request to end */
export function summary(
  { summary: s }: ResultsOf<'geostatistics/kriging'>,
  seconds: number,
): string {
  return `
  Points         ${count(s.points)}, ${s.estimated === s.points ? 'all' : count(s.estimated)} estimated
  Estimates      min ${fixed(s.min)}, mean ${fixed(s.mean)}, max ${fixed(s.max)}   ln(zinc in mg/kg)
  Mean variance  ${fixed(s.mean_variance)}
  Time           ${seconds.toFixed(2)} s from request to end, ${s.seconds.toFixed(2)} s of it computing
`;
}

/** What to try with the service that the demo leaves running; every command works when pasted. */
export function nextSteps(demo: {
  readonly url: string;
  readonly token: string;
  readonly org: string;
  readonly task: string;
  readonly jobUrl: string;
  readonly requestFile: string;
}): string {
  const curl = (flag: string) => `curl ${flag} -H "Authorization: Bearer $TOKEN"`;
  return `What to try next

  Swagger UI: ${demo.url}/docs   (Authorize there with the token below)

  The same job by hand, from this folder: 303, with the address of its status in Location

    export TOKEN=${demo.token}
    ${curl('-i')} -H 'Content-Type: application/json' \\
      --data @${demo.requestFile} ${demo.url}${demo.task}

  The status and the results of the job above

    ${curl('-i')} ${demo.jobUrl}/status
    ${curl('-s')} ${demo.jobUrl} | head -c 300

  The tasks there are

    ${curl('-s')} ${demo.url}/compute/orgs/${demo.org}/tasks
`;
}

/** `3,103` */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}

/** `5.7090`, or `none` */
export function fixed(number: number | null): string {
  return number === null ? 'none' : number.toFixed(4);
}
