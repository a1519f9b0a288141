import type { Prisma } from '../../generated/prisma/client.js';
import { newId } from '../../platform/ids/new-id.js';
import { Database } from '../../platform/database/database.js';

/** How many organizations are listed by what they store. */
const MAX_LISTED = 20;

/** Null: no cap; of requests a minute: as the service is configured, and 0: no limit. */
export interface OrganizationLimits {
  /** Share of the starts while organizations compete, 1–1000. */
  readonly weight: number;
  /** How many of its jobs may run at once. */
  readonly maxRunning: number | null;
  /** How many of its jobs may wait unstarted. */
  readonly maxUnstarted: number | null;
  /** Jobs it may submit in a minute, and as many it may cancel. */
  readonly submitsPerMinute: number | null;
  /** Statuses, results, details and logs it may ask for in a minute. */
  readonly pollsPerMinute: number | null;
  /** All other requests in a minute. */
  readonly requestsPerMinute: number | null;
  /** How many bytes its parameters, results and logs may have. */
  readonly maxStoredBytes: number | null;
  /** How many days its ended jobs are kept: 0: forever, null: as the service is configured. */
  readonly retentionDays: number | null;
}

/** How many bytes the parameters, results and logs of an organization have. */
export interface OrganizationUsage {
  readonly orgId: string;
  readonly storedBytes: number;
}

export interface TaskLimit {
  readonly topic: string;
  readonly task: string;
  /** How many of its jobs may run at once, over all organizations. */
  readonly maxRunning: number;
}

/** What operators allow organizations and tasks. The next claim, the next submit and the next deletion heed a change. */
export class LimitsStore {
  /** @param operator who changes them, for the audit log */
  constructor(
    private readonly database: Database,
    private readonly operator: string,
  ) {}

  async list(): Promise<{
    organizations: readonly (OrganizationLimits & { readonly orgId: string })[];
    tasks: readonly TaskLimit[];
  }> {
    const { prisma } = this.database;
    const organizations = await prisma.organizationLimits.findMany({ orderBy: { orgId: 'asc' } });
    return {
      organizations: organizations.map((limits) => ({
        ...limits,
        maxStoredBytes: limits.maxStoredBytes === null ? null : Number(limits.maxStoredBytes),
      })),
      tasks: await prisma.taskLimit.findMany({ orderBy: [{ topic: 'asc' }, { task: 'asc' }] }),
    };
  }

  /** The organizations that store most, the largest first. */
  async usage(): Promise<readonly OrganizationUsage[]> {
    const most = await this.database.prisma.organizationUsage.findMany({
      where: { storedBytes: { gt: 0 } },
      orderBy: [{ storedBytes: 'desc' }, { orgId: 'asc' }],
      take: MAX_LISTED,
    });
    return most.map(({ orgId, storedBytes }) => ({ orgId, storedBytes: Number(storedBytes) }));
  }

  /** Changes the given limits of an organization and leaves the others as they are. */
  async setOrganization(orgId: string, limits: Partial<OrganizationLimits>): Promise<void> {
    const { prisma } = this.database;
    await prisma.$transaction([
      prisma.organizationLimits.upsert({
        where: { orgId },
        create: { orgId, ...limits },
        update: limits,
      }),
      this.note(orgId, limits),
    ]);
  }

  async removeOrganization(orgId: string): Promise<void> {
    const { prisma } = this.database;
    await prisma.$transaction([
      prisma.organizationLimits.deleteMany({ where: { orgId } }),
      this.note(orgId, { removed: true }),
    ]);
  }

  /** A statement that tells the organization's audit log of a change. */
  private note(orgId: string, detail: Prisma.InputJsonObject) {
    return this.database.prisma.auditEntry.create({
      data: { orgId, id: newId(), action: 'limits.change', subject: this.operator, detail },
      select: { id: true },
    });
  }

  /** @param maxRunning null: no cap */
  async setTask(topic: string, task: string, maxRunning: number | null): Promise<void> {
    const { taskLimit } = this.database.prisma;
    await (maxRunning === null
      ? taskLimit.deleteMany({ where: { topic, task } })
      : taskLimit.upsert({
          where: { topic_task: { topic, task } },
          create: { topic, task, maxRunning },
          update: { maxRunning },
        }));
  }
}
