import type { BulkOptions, CallOptions, PageOptions } from './call-options.js';
import { organizationPath } from './job.js';
import type {
  BulkOutcome,
  JobFilter,
  JobPage,
  JobSelection,
  JobSummary,
  ListedJob,
  WireJob,
} from './list-types.js';
import { jsonOf, listOf, type Transport } from './http/transport.js';

/** Finds the jobs of an organization, and acts on many at once. */
export class JobList {
  constructor(
    private readonly transport: Transport,
    private readonly org: string,
  ) {}

  async page(filter: JobFilter, { signal, limit, cursor }: PageOptions): Promise<JobPage> {
    const query = filterQuery(filter);
    if (limit !== undefined) query.set('limit', `${limit}`);
    if (cursor !== undefined) query.set('cursor', cursor);
    const path = `${organizationPath(this.org, 'jobs')}?${query}`;
    const reply = await this.transport.get(path, signal);
    const page = listOf<{ results: WireJob[]; next: string | null }>(reply, 'results');
    return { jobs: page.results.map(named), cursor: cursorIn(page.next) };
  }

  async *pages(
    filter: JobFilter,
    options: PageOptions,
  ): AsyncGenerator<ListedJob, void, undefined> {
    let { cursor } = options;
    do {
      const page = await this.page(filter, { ...options, cursor });
      yield* page.jobs;
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  async summary(filter: JobFilter, { signal }: CallOptions): Promise<JobSummary> {
    const path = `${organizationPath(this.org, 'summary')}?${filterQuery(filter)}`;
    return jsonOf<JobSummary>(await this.transport.get(path, signal), 'total', 'by_status');
  }

  /**
   * @param act a second time, cancel and purge find nothing more to do; rerun would make the jobs again
   */
  async act(
    act: 'cancel' | 'purge' | 'rerun',
    selection: JobSelection,
    { signal, dryRun = false }: BulkOptions,
  ): Promise<BulkOutcome> {
    const body = JSON.stringify({ ...selection, ...(dryRun && { dry_run: true }) });
    const once = act === 'rerun' && !dryRun;
    const path = organizationPath(this.org, act);
    const reply = await this.transport.post(path, body, { signal, once });
    return jsonOf<BulkOutcome>(reply, 'matched', 'changed');
  }
}

/** What is not named is left out; of a list, each member is named. */
export function filterQuery(filter: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    for (const each of [value].flat()) {
      if (each !== undefined && each !== null) query.append(name, String(each));
    }
  }
  return query;
}

/** A job as the calls of the client take it. */
export function named<W extends { topic: string; task: string }>({
  topic,
  ...rest
}: W): Omit<W, 'topic'> {
  return { ...rest, task: `${topic}/${rest.task}` };
}

/** Of the address of the next page only the cursor counts: we may know the service by another address. */
export function cursorIn(next: string | null): string | null {
  return next === null ? null : new URL(next, 'http://localhost').searchParams.get('cursor');
}
