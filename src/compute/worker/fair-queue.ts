/**
 * What waits for a slot, by organization: they take turns, so that what one has waiting here does not
 * hold up another. Within an organization, first come, first served.
 */
export class FairQueue<T> implements Iterable<T> {
  /** In the order of turns: the first organization is next. */
  private readonly queues = new Map<string, T[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(organization: string, item: T): void {
    const queue = this.queues.get(organization);
    if (queue === undefined) {
      this.queues.set(organization, [item]);
    } else {
      queue.push(item);
    }
    this.count += 1;
  }

  /** Takes the next run, by turns. */
  shift(): T | undefined {
    for (const [organization, queue] of this.queues) {
      const item = queue.shift();
      this.count -= 1;
      // Alone it is always next.
      if (queue.length === 0 || this.queues.size > 1) {
        this.queues.delete(organization);
        if (queue.length > 0) {
          this.queues.set(organization, queue);
        }
      }
      return item;
    }
    return undefined;
  }

  /** @returns whether it was waiting */
  remove(organization: string, item: T): boolean {
    const queue = this.queues.get(organization);
    const place = queue?.indexOf(item) ?? -1;
    if (queue === undefined || place < 0) {
      return false;
    }
    queue.splice(place, 1);
    if (queue.length === 0) {
      this.queues.delete(organization);
    }
    this.count -= 1;
    return true;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const queue of this.queues.values()) {
      yield* queue;
    }
  }
}
