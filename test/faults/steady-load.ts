import { setTimeout as sleep } from 'node:timers/promises';
import { FaultLoad, type Verdict } from './fault-load.js';
import type { FaultSystem } from './fault-system.js';

/** Together they submit more than the workers can do: what ends in a second is what the workers do. */
const CALLERS = 10;
/** Also of those that the workers have claimed ahead. */
const MAX_UNENDED = 200;

/** Jobs that are submitted all the time, so that the queue neither runs empty nor grows without end. */
export class SteadyLoad {
  private readonly load: FaultLoad;
  private readonly watch: NodeJS.Timeout;
  private readonly loading: Promise<unknown>;

  constructor(private readonly system: FaultSystem) {
    this.load = new FaultLoad(system);
    this.watch = setInterval(() => void this.throttle(), 250);
    this.loading = Promise.all(Array.from({ length: CALLERS }, () => this.load.run()));
  }

  /** Waits until jobs wait. */
  async busy(): Promise<void> {
    while ((await this.unended()) < MAX_UNENDED / 3) {
      await sleep(100);
    }
  }

  /** Submits no more, waits until all has ended, and looks at what became of it. */
  async end(): Promise<Verdict & { readonly accepted: number }> {
    this.stop();
    await this.loading;
    await this.load.settle();
    return { ...(await this.load.verdict()), accepted: this.load.accepted.size };
  }

  stop(): void {
    clearInterval(this.watch);
    this.load.stop();
  }

  private async throttle(): Promise<void> {
    try {
      this.load.paused = (await this.unended()) > MAX_UNENDED;
    } catch {
      // The database is away: there is nothing to submit to.
    }
  }

  private async unended(): Promise<number> {
    const [row] = await this.system.ask(
      'SELECT count(*)::int AS unended FROM jobs WHERE ended_at IS NULL',
    );
    return row?.unended as number;
  }
}
