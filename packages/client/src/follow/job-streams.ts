import { type Job, jobPath, organizationPath } from '../job.js';
import { filterQuery } from '../job-list.js';
import type { StreamFilter } from '../list-types.js';
import { LiveStream, type OpenStream, StreamGate, type StreamListener } from './live-stream.js';
import { OrganizationStream } from './organization-stream.js';
import type { Transport } from '../http/transport.js';

/** The streams of events that a client may have open. */
export class JobStreams {
  /** The changes of all jobs, for whoever wants to hear of them. */
  readonly shared: OrganizationStream;
  private readonly gate = new StreamGate();

  constructor(
    private readonly transport: Transport,
    private readonly org: string,
  ) {
    this.shared = this.organization('');
  }

  /** The stream of one job alone, open until it is closed. */
  open(job: Job, listener: StreamListener): LiveStream {
    return new LiveStream(this.opener(jobPath(this.org, job, 'events')), listener, this.gate);
  }

  /** The changes of the jobs that a filter leaves: the shared stream when it leaves all. */
  changesOf(filter: StreamFilter): OrganizationStream {
    const query = `${filterQuery(filter)}`;
    return query === '' ? this.shared : this.organization(`?${query}`);
  }

  private organization(query: string): OrganizationStream {
    const path = organizationPath(this.org, 'events') + query;
    return new OrganizationStream(this.opener(path), this.gate);
  }

  private opener(path: string): OpenStream {
    return (lastEventId, signal) => {
      const headers: Record<string, string> =
        lastEventId === null ? {} : { 'last-event-id': lastEventId };
      return this.transport.openStream(path, headers, signal);
    };
  }
}
