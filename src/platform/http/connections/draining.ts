/** Whether this process is shutting down: it then answers 503 and is no longer ready. */
export class Draining {
  private started = false;

  get active(): boolean {
    return this.started;
  }

  begin(): void {
    this.started = true;
  }
}
