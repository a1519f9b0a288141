/** How many there are of something at the moment, by a key: what has none takes no memory. */
export class Tally {
  private readonly counts = new Map<string, number>();

  of(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.counts.set(key, this.of(key) + 1);
  }

  /** One of those that were added is gone. */
  remove(key: string): void {
    const others = this.of(key) - 1;
    if (others > 0) {
      this.counts.set(key, others);
    } else {
      this.counts.delete(key);
    }
  }
}
