import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../platform/config.js';
import { Metrics } from '../../platform/metrics/metrics.js';

/** Organizations beyond this many are counted together, as `other`. */
export const MAX_ORGANIZATIONS = 200;

/**
 * What organizations do, where the operator wants it known (`METRICS_BY_ORGANIZATION`): of the first that this
 * process meets. Families of their own, so that nothing else has more series by it.
 */
@Injectable()
export class OrganizationMetrics {
  readonly on: boolean;
  private readonly known = new Set<string>();
  private readonly submitted;
  private readonly ended;

  constructor(metrics: Metrics, @Inject(CONFIG) config: Pick<Config, 'METRICS_BY_ORGANIZATION'>) {
    this.on = metrics.on && config.METRICS_BY_ORGANIZATION;
    this.submitted = metrics.counter({
      name: 'headframe_organization_jobs_submitted_total',
      help: 'Jobs that were accepted, by organization; only with METRICS_BY_ORGANIZATION.',
      labels: ['organization'],
    });
    this.ended = metrics.counter({
      name: 'headframe_organization_jobs_ended_total',
      help: 'Jobs that ended, by organization and outcome; only with METRICS_BY_ORGANIZATION.',
      labels: ['organization', 'outcome'],
    });
  }

  noteSubmit(orgId: string): void {
    if (this.on) {
      this.submitted.of(this.labelOf(orgId)).add();
    }
  }

  noteEnd(orgId: string, outcome: string): void {
    if (this.on) {
      this.ended.of(this.labelOf(orgId), outcome).add();
    }
  }

  /** The organization itself, or `other` for those that came too late. */
  labelOf(orgId: string): string {
    if (this.known.has(orgId)) {
      return orgId;
    }
    if (this.known.size >= MAX_ORGANIZATIONS) {
      return 'other';
    }
    this.known.add(orgId);
    return orgId;
  }
}
