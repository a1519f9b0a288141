import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { json } from '../../../platform/http/openapi/body.js';
import { ApiJob } from '../../job/job.openapi.js';
import { JOB_PARAMETERS } from './parameters.schema.js';

export const ApiParameters = () =>
  applyDecorators(
    ApiOperation({
      operationId: 'getJobParameters',
      summary: 'What a job was given',
      description: 'The parameters, as they were sent. Scope: `compute:read`.',
      tags: ['Jobs'],
    }),
    ApiJob(),
    ApiResponse({
      status: 200,
      description: 'The job, ongoing or ended.',
      content: json(JOB_PARAMETERS, { sleep: { parameters: { seconds: 3, steps: 6 } } }),
    }),
  );
