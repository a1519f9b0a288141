import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { json } from '../../platform/http/openapi/body.js';
import { ApiOrganizationRead } from '../job/job.openapi.js';
import { LIMITS } from './limits.schema.js';

export const ApiLimits = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getLimits',
      summary: 'What the organization may use, and uses',
      description: 'The operator of the service sets them. Scope: `compute:admin`.',
      tags: ['Administration'],
    }),
    ApiOrganizationRead(),
    ApiResponse({
      status: 200,
      description: 'The limits in force.',
      content: json(LIMITS, {
        limits: {
          weight: 1,
          max_running: 16,
          max_unstarted: 100_000,
          max_stored_bytes: null,
          retention_days: 30,
          submits_per_minute: 6_000,
          polls_per_minute: 60_000,
          requests_per_minute: 3_000,
          used: { running: 3, unstarted: 120, stored_bytes: 48_211_004 },
        },
      }),
    }),
  );
