import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from 'headframe-client';
import { writeWhole } from '../whole-file.js';

/** The job that was submitted last from here, for `@latest`: one for each organization of each service. */
export class LastJobStore {
  private readonly file: string;
  private readonly key: string;

  constructor(
    private readonly folder: string,
    session: { readonly url: string; readonly org: string },
  ) {
    this.file = path.join(folder, 'latest.json');
    this.key = `${session.url} ${session.org}`;
  }

  async read(): Promise<Job | null> {
    const { [this.key]: job } = await this.all();
    return typeof job?.task === 'string' && typeof job.id === 'string' ? job : null;
  }

  async write({ task, id }: Job): Promise<void> {
    const jobs = { ...(await this.all()), [this.key]: { task, id } };
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeWhole(this.file, `${JSON.stringify(jobs, null, 2)}\n`, { mode: 0o600 });
  }

  private async all(): Promise<Record<string, Job | undefined>> {
    try {
      const jobs: unknown = JSON.parse(await readFile(this.file, 'utf8'));
      return typeof jobs === 'object' && jobs !== null ? (jobs as Record<string, Job>) : {};
    } catch {
      return {};
    }
  }
}
