import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { json } from '../../platform/http/openapi/body.js';
import { ApiOrganizationRead } from '../job/job.openapi.js';
import { OVERVIEW } from './overview.schema.js';

export const ApiOverview = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getJobsOverview',
      summary: 'How the jobs went lately, and who runs them',
      description:
        'Throughput, times and failures of the newest jobs, and the workers. A few seconds old. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiOrganizationRead(),
    ApiQuery({
      name: 'period',
      required: false,
      schema: { type: 'string', enum: ['hour', 'day'], default: 'hour' },
      description: 'How far back.',
    }),
    ApiResponse({
      status: 200,
      description: 'How it went.',
      content: json(OVERVIEW, {
        'an hour': {
          period_seconds: 3600,
          counted: 2,
          truncated: false,
          throughput: [
            {
              at: '2026-01-31T12:00:00.000Z',
              submitted: 2,
              succeeded: 1,
              failed: 1,
              canceled: 0,
            },
          ],
          wait_seconds: { p50: 0.1, p90: 0.4, p99: 0.4 },
          run_seconds: { p50: 2.1, p90: 3.4, p99: 3.4 },
          leases_lost: 0,
          by_task: [
            {
              topic: 'geostatistics',
              task: 'kriging',
              submitted: 2,
              ended: 2,
              failed: 1,
              run_seconds: { p50: 2.1, p90: 3.4, p99: 3.4 },
            },
          ],
          workers: [
            {
              id: '019a0b5c-0000-7000-8000-000000000001',
              version: '1.0.0',
              slots: 2,
              running: 0,
              draining: false,
              beat_seconds_ago: 1.2,
              started_at: '2026-01-31T08:00:00.000Z',
            },
          ],
        },
      }),
    }),
  );
