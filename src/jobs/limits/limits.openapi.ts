import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { SchemaObject } from '../../platform/http/problem/openapi-types.js';
import { ApiOrganizationRead, json } from '../read/jobs.openapi.js';

const limit = (description: string): SchemaObject => ({
  type: ['integer', 'null'],
  description: `${description} Null: no limit.`,
});
const count = (description: string): SchemaObject => ({ type: 'integer', description });

const LIMITS: Record<string, SchemaObject> = {
  weight: count('Share of the starts while organizations compete.'),
  max_running: limit('How many jobs may run at once.'),
  max_unstarted: limit('How many jobs may wait to be started.'),
  max_stored_bytes: limit('How many bytes parameters, results and logs may have.'),
  retention_days: limit('How long ended jobs are kept.'),
  submits_per_minute: limit('How many jobs may be submitted, and as many canceled.'),
  polls_per_minute: limit('How many statuses, results, details and logs may be asked for.'),
  requests_per_minute: limit('How many other requests may be made.'),
};
const USED: Record<string, SchemaObject> = {
  running: count('Jobs that run.'),
  unstarted: count('Jobs that wait, those for a later moment as well.'),
  stored_bytes: count('About a second old.'),
};

/** Bodies of the limits route. */
export const LIMITS_SCHEMAS: Record<string, SchemaObject> = {
  Limits: {
    type: 'object',
    required: [...Object.keys(LIMITS), 'used'],
    properties: {
      ...LIMITS,
      used: { type: 'object', required: Object.keys(USED), properties: USED },
    },
  },
};

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
      content: json('Limits', {
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
