interface Kept<Answer> {
  readonly at: number;
  readonly answer: Promise<Answer>;
}

/**
 * Answers that are given again for a while, to all who ask for the same: those who ask while it is read wait for
 * it. What failed is told to those who waited, and read again for the next.
 */
export class KeptAnswers<Answer> {
  private readonly known = new Map<string, Kept<Answer>>();

  /**
   * @param believedMs how long an answer is given again
   * @param most how many are remembered; then all are forgotten, and read again
   */
  constructor(
    private readonly believedMs: number,
    private readonly most: number,
  ) {}

  of(key: string, read: () => Promise<Answer>): Promise<Answer> {
    const before = this.known.get(key);
    if (before !== undefined && performance.now() - before.at < this.believedMs) {
      return before.answer;
    }
    if (this.known.size >= this.most) {
      this.known.clear();
    }
    const kept = { at: performance.now(), answer: read() };
    this.known.set(key, kept);
    kept.answer.catch(() => {
      if (this.known.get(key) === kept) {
        this.known.delete(key);
      }
    });
    return kept.answer;
  }
}
