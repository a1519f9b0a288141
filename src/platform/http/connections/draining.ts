/** Whether this process is shutting down: it then answers 503 and is no longer ready. */
export class Draining {
  private started = false;
  private readonly listeners: (() => void)[] = [];

  get active(): boolean {
    return this.started;
  }

  /** @param listener called once, when it begins: ends what clients wait for, which may take long */
  onBegin(listener: () => void): void {
    this.listeners.push(listener);
  }

  begin(): void {
    if (!this.started) {
      this.started = true;
      this.listeners.forEach((listener) => listener());
    }
  }
}
