import { Injectable } from '@nestjs/common';
import type { ClaimedJob, Lease } from './lease.store.js';

/** What this process, as a worker, offers to its own submits. */
export interface LocalStarter {
  /**
   * Keeps a free slot for a job of the task.
   * @returns the worker that it is to be started by; null: it has to go through the queue
   */
  reserve(topic: string, task: string): string | null;
  /** Runs a job that was stored as started by that worker, in the slot that was kept. */
  start(job: ClaimedJob, workerId: string): void;
  /** The slot is not needed: the job was stored as waiting, or not at all. */
  free(): void;
  /** Nobody knows whether the job was stored as started: hands it back if it was, and frees the slot. */
  handBack(lease: Lease): void;
}

/**
 * The way of a job that need not wait: a submit that finds nothing waiting for its organization, no cap, and
 * a free slot in its own process is stored as started, in its one commit. The dispatcher sets the starter; a
 * process that runs no jobs has none.
 */
@Injectable()
export class LocalStarts {
  starter: LocalStarter | null = null;
}
