import { AsyncLocalStorage } from 'node:async_hooks';
import { cutText } from '../../../platform/text/cut-text.js';

/** A piece of a task's work that has ended. */
export interface RecordedSpan {
  /** Within the attempt, from 1. */
  readonly id: number;
  /** The piece that it is part of; null: of the attempt itself. */
  readonly parent: number | null;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** What it failed with; null: it did not. */
  readonly failed: string | null;
}

/** More pieces of one attempt are not recorded. */
const MAX_SPANS = 1_000;
const MAX_NAME = 200;
const MAX_REASON = 500;

/** The piece of work that this code is part of. */
const current = new AsyncLocalStorage<number>();

/** Milliseconds since 1970, as fine as the machine tells. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();

/** Records the pieces of work that a task names, in whatever thread it runs. */
export class SpanRecorder {
  private count = 0;

  /** @param send called with each piece when it has ended */
  constructor(private readonly send: (span: RecordedSpan) => void) {}

  /** Does the work, and records how long it took; what it returns and throws is passed on. */
  readonly span = <T>(name: string, work: () => T): T => {
    if (this.count >= MAX_SPANS) {
      return work();
    }
    this.count += 1;
    const id = this.count;
    const parent = current.getStore() ?? null;
    const startedAt = preciseNow();
    const end = (failed: string | null): void =>
      this.send({
        id,
        parent,
        name: cutText(String(name), MAX_NAME),
        startedAt,
        endedAt: preciseNow(),
        failed,
      });
    let result: T;
    try {
      result = current.run(id, work);
    } catch (error) {
      end(reasonOf(error));
      throw error;
    }
    if (!(result instanceof Promise)) {
      end(null);
      return result;
    }
    return result.then(
      (value: unknown) => {
        end(null);
        return value;
      },
      (error: unknown) => {
        end(reasonOf(error));
        throw error;
      },
    ) as T;
  };
}

const reasonOf = (error: unknown): string =>
  cutText(error instanceof Error ? error.message : String(error), MAX_REASON);
