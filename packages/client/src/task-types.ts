import type { paths } from './generated/api.js';
import type { Answer } from './wire-types.js';

type Organization = '/compute/orgs/{org_id}';

/** `topic/task` of a path that executes one task; never of a path with more or with open parts. */
type NameIn<P> = P extends `${Organization}/${infer Topic}/${infer Name}`
  ? Topic extends `{${string}`
    ? never
    : Name extends `${string}/${string}` | `{${string}`
      ? never
      : `${Topic}/${Name}`
  : never;

/** The tasks whose parameters and results are known by type: those that come with the service. */
export type KnownTask = NameIn<keyof paths>;

/** `topic/task`: one of the known tasks, or any other that the service offers. */
export type TaskName = KnownTask | (string & {});

/** The parameters that a task takes; of a task that is not known by type, any object. */
export type ParametersOf<T extends TaskName> = T extends KnownTask
  ? paths[`${Organization}/${T}`]['post'] extends {
      requestBody?: { content: { 'application/json': { parameters: infer Parameters } } };
    }
    ? Parameters
    : object
  : object;

/** An answer says twice what its results are: any object, and those of the task. The latter counts. */
type ResultsIn<Body> = Body extends { results?: infer Results }
  ? NonNullable<Results> extends { [key: string]: unknown } & (infer Own)
    ? Own
    : NonNullable<Results>
  : never;

/** The results that a task leaves; of a task that is not known by type, any object. */
export type ResultsOf<T extends TaskName> = T extends KnownTask
  ? `${Organization}/${T}/{job_id}` extends infer P extends keyof paths
    ? ResultsIn<Answer<P, 200>>
    : Record<string, unknown>
  : Record<string, unknown>;
