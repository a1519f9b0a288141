import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiJob } from '../job/job.openapi.js';

export const ApiCancel = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'cancelJob',
      summary: 'Cancel a job',
      description:
        'An unstarted job ends at once; the work of a running one is stopped, wherever it runs. Of an ended job nothing changes. Repeatable. Scope: `compute:execute`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiResponse({ status: 204, description: 'The job is canceled, being canceled, or had ended.' }),
  );
