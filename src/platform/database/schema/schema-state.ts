/** Whether the database's schema fits this build. Written by `SchemaWatch`; asked before each use. */
export class SchemaState {
  private reason: string | null = null;
  private waiting: (() => void)[] = [];

  /** Why the schema does not fit, and what to do, in a line for the operator; null when it fits. */
  get fault(): string | null {
    return this.reason;
  }

  /** Fulfilled when the schema fits: at once, or as soon as it does. */
  whenFit(): Promise<void> {
    return this.reason === null
      ? Promise.resolve()
      : new Promise((resolve) => this.waiting.push(resolve));
  }

  set(fault: string | null): void {
    this.reason = fault;
    if (fault === null) {
      this.waiting.splice(0).forEach((resolve) => resolve());
    }
  }
}
