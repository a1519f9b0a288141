import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../platform/config.js';
import { Problem } from '../platform/http/problem/problem.js';
import { Public } from '../platform/http/public.decorator.js';
import { type ConsoleFile, ConsoleFiles } from './console-files.js';
import { publicPrefix } from './public-prefix.js';

/**
 * Scripts, styles and data from here alone: no inline script or style, no `eval`, nothing of another
 * host. `blob:` is what a drawn map is copied from.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The console: a page, and what it is made of. */
@Controller()
@Public(true)
@ApiExcludeController()
export class ConsoleFilesController {
  private readonly address: string;

  constructor(
    private readonly files: ConsoleFiles,
    @Inject(CONFIG) config: Config,
  ) {
    this.address = `${publicPrefix(config)}/console/`;
  }

  @Get('console')
  lead(@Res() reply: FastifyReply): void {
    void reply.redirect(this.address, 308);
  }

  @Get('console/*')
  send(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const [path = ''] = request.url.split('?', 1);
    const name = path.slice('/console/'.length);
    const file = this.files.find(name);
    // An address of the console itself: its own router shows it, or says that there is nothing.
    if (file === null && /^(assets\/|[^/]*\.)/.test(name)) {
      throw new Problem(
        'not-found',
        'There is no such file: reload the console, which may have been updated.',
      );
    }
    this.answer(request, reply, file ?? this.files.page);
  }

  private answer(request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): void {
    const zipped = file.gzip !== null && acceptsGzip(request.headers['accept-encoding']);
    void reply
      .headers({
        'content-security-policy': POLICY,
        'content-type': file.type,
        'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
        'permissions-policy': 'camera=(), geolocation=(), microphone=()',
        ...(file.gzip !== null && { vary: 'Accept-Encoding' }),
        ...(zipped && { 'content-encoding': 'gzip' }),
      })
      .send(zipped ? file.gzip : file.bytes);
  }
}

const acceptsGzip = (accepted: string | undefined): boolean =>
  /(^|[\s,])(gzip|\*)(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted ?? '');
