import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../http/public.decorator.js';
import { acceptedFormat } from './accepted-format.js';
import { Expositions } from './exposition.js';

/** The metrics at the address of the API: for development, where nobody else reaches it. */
@Controller('metrics')
@Public(true)
export class MetricsController {
  constructor(private readonly expositions: Expositions) {}

  @Get()
  @ApiOperation({
    operationId: 'metrics',
    summary: 'What this process measures',
    description:
      'For Prometheus, in its text format or that of OpenMetrics, by `Accept`. At this address in development only: `METRICS_PORT` gives it one of its own.',
    tags: ['Service'],
  })
  @ApiOkResponse({
    description: 'The metrics.',
    content: {
      'text/plain': { schema: { type: 'string' } },
      'application/openmetrics-text': { schema: { type: 'string' } },
    },
  })
  async metrics(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { contentType, text } = await this.expositions.in(acceptedFormat(request.headers.accept));
    void reply.headers({ 'content-type': contentType, 'cache-control': 'no-store' });
    return text;
  }
}
