import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';
import { ApiJob } from '../job/job.openapi.js';

export const ApiPurge = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'purgeJob',
      summary: 'Delete an ended job',
      description:
        'Deletes the job with its parameters, results, logs, labels and attempts, at once and for good. From then on its address answers 404, as that of a job that never was. A job that has not ended is refused with 409. There is no body. Scope: `compute:admin`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiResponse({ status: 204, description: 'The job is deleted.' }),
    ApiProblems('conflict'),
  );
