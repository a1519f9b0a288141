import type { Change, ChangedJob, HeadframeClient, JobFilter, ListedJob } from 'headframe-client';

/** Of one request: many rows a screen, few requests a scroll. */
const PAGE_SIZE = 100;
/** After a change that may concern the top of the list, until it is asked for: changes come in bursts. */
const SETTLE_MS = 400;

export interface RowsState {
  readonly rows: readonly ListedJob[];
  /** Whether older ones can be loaded. */
  readonly more: boolean;
  readonly loading: boolean;
  readonly error: unknown;
  /** False until the first answer. */
  readonly known: boolean;
}

/**
 * The rows of the table: pages of the list as they are asked for, kept up to date by the stream of
 * changes. No row is ever asked for by itself.
 */
export class JobRows {
  private state: RowsState = { rows: [], more: false, loading: true, error: null, known: false };
  private places = new Map<string, number>();
  private cursor: string | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly ended = new AbortController();
  private settling: ReturnType<typeof setTimeout> | null = null;
  private drawing = false;
  /** Whether something changed while an answer was under way, which may tell of the moment before. */
  private missed = false;

  /** @param shows whether a job that was changed so still belongs here, as far as its state tells */
  constructor(
    private readonly client: HeadframeClient,
    private readonly filter: () => JobFilter,
    private readonly shows: (job: ChangedJob) => boolean,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly snapshot = (): RowsState => this.state;

  end(): void {
    this.ended.abort();
    if (this.settling !== null) clearTimeout(this.settling);
  }

  /** Asks for the newest jobs, and puts them above those that are known. */
  async refresh(): Promise<void> {
    await this.load(async (signal) => {
      const page = await this.client.listPage(this.filter(), { limit: PAGE_SIZE, signal });
      const fresh = new Set(page.jobs.map(({ id }) => id));
      const oldest = page.jobs.at(-1)?.id;
      // Ids sort by time: what is known and newer than the page's last, but not in it, is gone.
      const kept =
        page.cursor === null || oldest === undefined
          ? []
          : this.state.rows.filter(({ id }) => id < oldest && !fresh.has(id));
      if (kept.length === 0) this.cursor = page.cursor;
      return [...page.jobs, ...kept];
    });
  }

  /** Asks for older jobs. */
  async loadMore(): Promise<void> {
    const { cursor } = this;
    if (cursor === null || this.state.loading) return;
    await this.load(async (signal) => {
      const page = await this.client.listPage(this.filter(), { limit: PAGE_SIZE, cursor, signal });
      this.cursor = page.cursor;
      return [...this.state.rows, ...page.jobs.filter(({ id }) => !this.places.has(id))];
    });
  }

  /** Takes a change from the stream. */
  take(change: Change): void {
    if (change.type === 'reset') {
      void this.refresh();
      return;
    }
    const { job } = change;
    if (this.state.loading) this.missed = true;
    const place = this.places.get(job.id);
    if (place === undefined) {
      this.refreshSoon();
      return;
    }
    const known = this.state.rows[place];
    if (known === undefined) return;
    if (!this.shows(job)) {
      this.replace(this.state.rows.filter(({ id }) => id !== job.id));
      return;
    }
    const { links: _links, waits_for: _waits, ...kept } = known as ListedJob & { links?: unknown };
    // Why it waits is not in the stream: what was true before it changed may not be now.
    if (job.status === 'requested' && known.status !== 'requested') this.refreshSoon();
    const rows = [...this.state.rows];
    rows[place] = { ...kept, ...withoutLinks(job) } as ListedJob;
    this.become({ rows });
  }

  private refreshSoon(): void {
    if (this.settling !== null || this.ended.signal.aborted) return;
    this.settling = setTimeout(() => {
      this.settling = null;
      void this.refresh();
    }, SETTLE_MS);
  }

  private async load(work: (signal: AbortSignal) => Promise<ListedJob[]>): Promise<void> {
    const { signal } = this.ended;
    this.become({ loading: true });
    try {
      const rows = await work(signal);
      if (signal.aborted) return;
      this.replace(rows);
      this.become({ loading: false, error: null, known: true, more: this.cursor !== null });
      if (this.missed) this.refreshSoon();
      this.missed = false;
    } catch (error) {
      if (!signal.aborted) this.become({ loading: false, error });
    }
  }

  private replace(rows: readonly ListedJob[]): void {
    this.places = new Map(rows.map(({ id }, index) => [id, index]));
    this.become({ rows });
  }

  /** However many changes come at once, the page is drawn once. */
  private become(change: Partial<RowsState>): void {
    this.state = { ...this.state, ...change };
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      this.listeners.forEach((listener) => listener());
    });
  }
}

const withoutLinks = ({ links: _links, ...job }: ChangedJob): Omit<ChangedJob, 'links'> => job;
