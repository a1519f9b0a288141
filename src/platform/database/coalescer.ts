/** How a {@link Coalescer} forms and runs its batches. */
export interface CoalescerOptions<Item, Answer> {
  /** Serves a batch with one statement; answers in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** Most items in one batch. */
  readonly maxItems: number;
  /** Most batches on the way at once; what arrives meanwhile gathers for the next. */
  readonly maxBatches: number;
  /** Whether to run the items of a failed batch one by one, so that one bad item fails alone. */
  readonly retryAlone: (error: unknown) => boolean;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Serves concurrent calls with one statement instead of one each: round trips and commits are what
 * such calls cost. A call joins only a batch that has not been sent, so each sees everything that
 * was committed before it was made.
 */
export class Coalescer<Item, Answer> {
  private waiting: Waiting<Item, Answer>[] = [];
  private batches = 0;
  private scheduled = false;

  constructor(private readonly options: CoalescerOptions<Item, Answer>) {}

  /** @throws whatever `run` throws for this item, or for its whole batch */
  submit(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (!this.scheduled && this.waiting.length > 0 && this.batches < this.options.maxBatches) {
      this.scheduled = true;
      // After the I/O of this turn of the event loop: all requests that just arrived go together.
      setImmediate(() => {
        this.scheduled = false;
        void this.send(this.waiting.splice(0, this.options.maxItems));
        this.schedule();
      });
    }
  }

  private async send(batch: Waiting<Item, Answer>[]): Promise<void> {
    this.batches += 1;
    try {
      await this.settle(batch);
    } finally {
      this.batches -= 1;
      this.schedule();
    }
  }

  private async settle(batch: Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
    } catch (error) {
      if (batch.length === 1 || !this.options.retryAlone(error)) {
        batch.forEach(({ reject }) => reject(error));
        return;
      }
      await Promise.all(batch.map((waiting) => this.settle([waiting])));
    }
  }
}
