import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiParam } from '@nestjs/swagger';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';
import { EXAMPLE_ORGANIZATION } from './examples.js';

export const ApiOrganization = () =>
  ApiParam({
    name: 'org_id',
    description: 'The organization; the token must grant it.',
    schema: { type: 'string', format: 'uuid', example: EXAMPLE_ORGANIZATION },
  });

/** What routes share that read something of a whole organization. */
export const ApiOrganizationRead = () =>
  applyDecorators(
    ApiOrganization(),
    ApiProblems(
      'malformed-request',
      'unauthorized',
      'forbidden',
      'not-acceptable',
      'too-many-requests',
      'internal-error',
      'unavailable',
    ),
  );

/** What all routes of one job share. */
export const ApiJob = () =>
  applyDecorators(
    ApiOrganization(),
    ApiParam({
      name: 'topic',
      description: 'The compute topic.',
      schema: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$', example: 'geostatistics' },
    }),
    ApiParam({
      name: 'task',
      description: 'The compute task.',
      schema: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$', example: 'kriging' },
    }),
    ApiParam({
      name: 'job_id',
      description: 'The job: the last but one part of the `Location` that execute answered.',
      schema: { type: 'string', format: 'uuid' },
    }),
    ApiHeader({
      name: 'Evo-SDK-Source',
      required: false,
      description: 'Sent by Evo SDK clients, `<package>@v<version>`: spells the status as they do.',
      schema: { type: 'string' },
    }),
    ApiProblems(
      'unauthorized',
      'forbidden',
      'not-found',
      'not-acceptable',
      'too-many-requests',
      'internal-error',
      'unavailable',
    ),
  );
