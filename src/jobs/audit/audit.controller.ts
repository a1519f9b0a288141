import { Controller, Get, Inject, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Organization, RequireScope } from '../../auth/auth.decorators.js';
import { CONFIG, type Config } from '../../platform/config.js';
import { AcceptsJson } from '../../platform/http/accepts-json.guard.js';
import type { BodyOf } from '../../platform/http/openapi/body.js';
import { pageLimit, parseQuery, wrongParameter } from '../../platform/http/paging/page-query.js';
import { cursorOf, idOfCursor } from '../../platform/http/paging/sealed-cursor.js';
import { serviceUrl } from '../../platform/http/service-url.js';
import { ApiAudit } from './audit.openapi.js';
import type { AUDIT_PAGE } from './audit.schema.js';
import { AUDIT_ACTIONS, type AuditEntry, AuditStore } from './audit.store.js';

const MAX_ENTRIES = 200;

const QUERY = z.object({
  action: z.enum(AUDIT_ACTIONS, { error: `must be one of ${AUDIT_ACTIONS.join(', ')}` }).optional(),
  subject: z
    .string({ error: 'must be given once' })
    .min(1, 'must not be empty')
    .max(256, 'must have at most 256 characters')
    .refine((text) => text.isWellFormed() && !text.includes('\u0000'), 'must be plain text')
    .optional(),
  job_id: z.guid('must be a UUID').toLowerCase().optional(),
  limit: pageLimit(MAX_ENTRIES).default(50),
  cursor: z.string({ error: 'must be given once' }).optional(),
});

/** Who did what in an organization, for its administrators. */
@Controller('compute/orgs/:org_id/audit')
@UseGuards(AcceptsJson)
export class AuditController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly audit: AuditStore,
  ) {}

  @Get()
  @RequireScope('compute:admin')
  @ApiAudit()
  async list(
    @Organization() orgId: string,
    @Query() query: Record<string, unknown>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BodyOf<typeof AUDIT_PAGE>> {
    const { action, subject, job_id: jobId, limit, cursor } = parseQuery(QUERY, query);
    const filter = { action: action ?? null, subject: subject ?? null, jobId: jobId ?? null };
    const list = [orgId, ...Object.values(filter).map((value) => value ?? '')];
    const before = cursor === undefined ? null : idOfCursor(cursor, list);
    if (cursor !== undefined && before === null) {
      throw wrongParameter('cursor', 'must be that of an earlier page of this list');
    }
    const found = await this.audit.list(orgId, filter, before, limit + 1);
    const entries = found.slice(0, limit);
    const last = entries.at(-1);
    const next = new URLSearchParams({
      ...(action !== undefined && { action }),
      ...(subject !== undefined && { subject }),
      ...(jobId !== undefined && { job_id: jobId }),
      limit: String(limit),
      cursor: last === undefined ? '' : cursorOf(last.id, list),
    });
    void reply.header('cache-control', 'no-store');
    return {
      results: entries.map(present),
      next:
        found.length > entries.length
          ? `${serviceUrl(request, this.config)}/compute/orgs/${orgId}/audit?${next.toString()}`
          : null,
    };
  }
}

const present = ({
  jobId,
  requestId,
  ...entry
}: AuditEntry): BodyOf<typeof AUDIT_PAGE>['results'][number] => ({
  ...entry,
  at: entry.at.toISOString(),
  detail: entry.detail as Readonly<Record<string, unknown>> | null,
  job_id: jobId,
  request_id: requestId,
});
