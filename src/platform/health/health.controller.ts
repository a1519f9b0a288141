import { Controller, Get } from '@nestjs/common';
import { type BodyOf, json } from '../http/openapi/body.js';
import { ApiProblems } from '../http/problem/problem.openapi.js';
import { Public } from '../http/public.decorator.js';
import { Draining } from '../http/connections/draining.js';
import { Problem } from '../http/problem/problem.js';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Database } from '../database/database.js';
import { SchemaState } from '../database/schema/schema-state.js';
import { LIVE, READY } from './health.schema.js';

/** What an orchestrator asks; it has no token. */
@Controller('health')
@Public(true)
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly draining: Draining,
    private readonly schema: SchemaState,
  ) {}

  /** The process answers: else restart it. */
  @Get('live')
  @ApiOperation({ operationId: 'live', summary: 'Whether the process answers', tags: ['Service'] })
  @ApiOkResponse({ description: 'It does.', content: json(LIVE, { live: { status: 'live' } }) })
  live(): BodyOf<typeof LIVE> {
    return { status: 'live' };
  }

  /** It can do its work: else send it none. */
  @Get('ready')
  @ApiOperation({ operationId: 'ready', summary: 'Whether it can do its work', tags: ['Service'] })
  @ApiOkResponse({
    description: 'The database answers, its schema fits, and the replica is not shutting down.',
    content: json(READY, { ready: { status: 'ready' } }),
  })
  @ApiProblems('unavailable')
  async ready(): Promise<BodyOf<typeof READY>> {
    if (this.draining.active) {
      throw new Problem('unavailable', 'This replica is shutting down.', {
        headers: { 'retry-after': '1' },
      });
    }
    if (this.schema.fault !== null) {
      throw new Problem('unavailable', this.schema.fault, { headers: { 'retry-after': '2' } });
    }
    await this.database.requests.query('SELECT 1');
    return { status: 'ready' };
  }
}
