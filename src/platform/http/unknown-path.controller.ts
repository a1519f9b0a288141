import { All, Controller, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AllowedMethods } from './paths/allowed-methods.js';
import { Problem } from './problem/problem.js';
import { AnyToken, Public } from './public.decorator.js';

/**
 * Takes what no other route took: 405 with `Allow` when the path answers other methods (204 to
 * OPTIONS), else 404. Below `/compute` the guards judge first, as they do on every path there.
 */
@Controller()
@ApiExcludeController()
export class UnknownPathController {
  constructor(private readonly allowed: AllowedMethods) {}

  @All('compute/*')
  @AnyToken(true)
  guarded(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): void {
    this.answer(request, reply);
  }

  @All('*')
  @Public(true)
  open(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): void {
    this.answer(request, reply);
  }

  private answer(request: FastifyRequest, reply: FastifyReply): void {
    const methods = this.allowed.of(request.url.split('?', 1)[0] ?? '');
    if (methods.length === 0) {
      throw new Problem('not-found', 'Check the path: /docs lists every address.');
    }
    const allow = [...methods, 'OPTIONS'].join(', ');
    if (request.method === 'OPTIONS') {
      void reply.status(204).header('allow', allow);
      return;
    }
    throw new Problem('method-not-allowed', `Use one of the methods ${allow}.`, {
      headers: { allow },
    });
  }
}
