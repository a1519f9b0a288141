import { isJobAddress } from '../../jobs/job/job-address.js';
import type { TaskCatalogue } from './task-catalogue.js';

/**
 * Whether the topic, task and job of a path can exist, as far as it can be told without the database:
 * jobs may be left of tasks that are no longer offered.
 */
export const mayExist =
  (catalogue: TaskCatalogue) =>
  (params: Readonly<Record<string, string | undefined>>): boolean => {
    const { topic, task, job_id: jobId } = params;
    if (topic === undefined || task === undefined) {
      return true;
    }
    return jobId === undefined
      ? catalogue.find(topic, task) !== null
      : isJobAddress(topic, task, jobId.toLowerCase());
  };
