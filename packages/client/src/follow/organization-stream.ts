import type { RequestError } from '../errors.js';
import { named } from '../job-list.js';
import type { ChangedJob, WireChange } from '../list-types.js';
import { LiveStream, type OpenStream, type StreamGate } from './live-stream.js';

/** Who hears of all changes of the organization's jobs. */
export interface ChangeListener {
  onChange(job: ChangedJob): void;
  /** Changes may have been missed. */
  onGap(): void;
  /** For now nothing comes; an `onGap` says when that is over, unless nothing was missed. */
  onDown(): void;
  onRefused(error: RequestError): void;
}

/**
 * The changes of an organization's jobs, for as many listeners as there are: one stream for all, which is
 * open while there is a listener. Browsers have six connections to a service by HTTP/1.1.
 */
export class OrganizationStream {
  private readonly listeners = new Set<ChangeListener>();
  private stream: LiveStream | null = null;

  constructor(
    private readonly open: OpenStream,
    private readonly gate: StreamGate,
  ) {}

  get isOpen(): boolean {
    return this.stream !== null;
  }

  get isLive(): boolean {
    return this.stream?.isLive ?? false;
  }

  /** @returns what ends the listening; it may be called twice */
  join(listener: ChangeListener): () => void {
    this.listeners.add(listener);
    this.stream ??= new LiveStream(
      this.open,
      {
        onUp: (resumed) => {
          if (!resumed) this.each((one) => one.onGap());
        },
        onEvent: (name, data) => {
          if (name === 'reset') this.each((one) => one.onGap());
          if (name === 'status') this.each((one) => one.onChange(changedJob(data)));
        },
        onDown: () => this.each((one) => one.onDown()),
        onRefused: (error) => this.each((one) => one.onRefused(error)),
      },
      this.gate,
    );
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.stream?.close();
      this.stream = null;
    };
  }

  private each(tell: (listener: ChangeListener) => void): void {
    for (const listener of this.listeners) tell(listener);
  }
}

function changedJob(data: object): ChangedJob {
  return named(data as WireChange);
}
