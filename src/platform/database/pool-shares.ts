import type { Config } from '../config.js';

/** How many connections each of the two pools may have. */
interface PoolShares {
  readonly requestPoolSize: number;
  readonly poolSize: number;
}

/** What `api` needs for work: one to tend jobs with, one for hints. */
const WORK_OF_API = 2;
/** What `worker` needs for requests: health is all that it is asked. */
const REQUESTS_OF_WORKER = 1;

/** Divides the connections of a process by what its role has to do; both pools get at least one. */
export function poolShares(role: Config['ROLE'], connections: number): PoolShares {
  switch (role) {
    case 'api': {
      const poolSize = Math.min(WORK_OF_API, connections - 1);
      return { poolSize, requestPoolSize: connections - poolSize };
    }
    case 'worker':
      return { poolSize: connections - REQUESTS_OF_WORKER, requestPoolSize: REQUESTS_OF_WORKER };
    case 'all': {
      const poolSize = Math.floor(connections / 2);
      return { poolSize, requestPoolSize: connections - poolSize };
    }
    default:
      return role satisfies never;
  }
}
