import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { Database } from '../../platform/database/database.js';
import type { AuditAction } from '../audit/audit.store.js';
import { newId } from '../../platform/ids/new-id.js';
import type { JobStatus } from '../job/job-status.js';
import { SelectedJobs } from './selected-jobs.js';
import type { Selection } from './selection.js';

/** So many jobs are changed by one statement. */
const AT_ONCE = 500;

/** What is done with the jobs of a selection. */
export interface Act<Row extends { readonly id: string }> {
  readonly action: AuditAction;
  /** States of the jobs that it is for. */
  readonly states: readonly JobStatus[];
  /** SQL of what it must know of each. */
  readonly columns: string;
  /** Changes some of them, committed when the promise resolves. @returns how many */
  change(jobs: readonly Row[]): Promise<number>;
}

export interface BulkAnswer {
  readonly matched: number;
  readonly changed: number;
  readonly more: boolean;
}

/** Does something with many jobs: some hundreds in each statement, all noted as one act besides. */
@Injectable()
export class BulkAct {
  constructor(
    private readonly selected: SelectedJobs,
    private readonly database: Database,
  ) {}

  /** @throws whatever the change throws; what was changed before is noted, and stays changed */
  async perform<Row extends { readonly id: string }>(
    orgId: string,
    selection: Selection,
    by: Actor,
    { action, states, columns, change }: Act<Row>,
  ): Promise<BulkAnswer> {
    const { jobs, more } = await this.selected.find<Row>(orgId, selection, states, columns);
    if (selection.dryRun) {
      return { matched: jobs.length, changed: 0, more };
    }
    // As they were submitted: what is run again keeps its order.
    const oldestFirst = jobs.toReversed();
    let changed = 0;
    try {
      for (let at = 0; at < jobs.length; at += AT_ONCE) {
        changed += await change(oldestFirst.slice(at, at + AT_ONCE));
      }
    } finally {
      await this.note(action, orgId, selection, by, { matched: jobs.length, changed, more });
    }
    return { matched: jobs.length, changed, more };
  }

  private async note(
    action: AuditAction,
    orgId: string,
    { jobs, sent }: Selection,
    by: Actor,
    counts: BulkAnswer,
  ): Promise<void> {
    const about = 'ids' in jobs ? { ids: jobs.ids.length } : { filter: sent };
    await this.database.queryFor([orgId], {
      name: 'note-bulk-act',
      text: `INSERT INTO audit_log (org_id, id, action, subject, client, address, request_id, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      values: [
        orgId,
        newId(),
        action,
        by.subject,
        by.client,
        by.address,
        by.requestId,
        JSON.stringify({ ...about, ...counts }),
      ],
    });
  }
}
