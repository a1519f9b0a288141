import type { BulkOptions, CallOptions, PageOptions } from './call-options.js';
import { organizationPath } from './job.js';
import type {
  BulkOutcome,
  JobFilter,
  JobPage,
  JobSelection,
  JobSummary,
  ListedJob,
} from './list-types.js';
import { jsonOf, type Transport } from './transport.js';

/** A job as it is listed: the topic stands by itself there. */
export type WireJob = Omit<ListedJob, 'task'> & { readonly topic: string; readonly task: string };

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
    const page = jsonOf<{ results: WireJob[]; next: string | null }>(
      await this.transport.get(path, signal),
    );
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
    return jsonOf(await this.transport.get(path, signal));
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
    return jsonOf(await this.transport.post(path, body, { signal, once }));
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
