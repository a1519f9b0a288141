import type { IncomingMessage } from 'node:http';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { CONFIG, type Config } from '../config.js';
import { parseIJson } from './i-json.js';
import { Problem } from './problem.js';

/**
 * Reads and parses the body of a route. It runs after the guards, so that nobody makes the service
 * read a body who may not send one, and so that the token, the organization and the path are judged
 * before the body is.
 */
@Injectable()
export class JsonBody implements NestInterceptor {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    refuseOtherMediaTypes(request.headers);
    request.body = parseIJson(await readBody(request.raw, this.config.BODY_LIMIT_BYTES));
    return next.handle();
  }
}

/** `application/json` or a `+json` type, in UTF-8, not compressed. */
function refuseOtherMediaTypes(headers: IncomingMessage['headers']): void {
  const [mediaType = '', ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (!/^application\/([\w.!#$&^-]+\+)?json$/.test(mediaType)) {
    throw new Problem(
      'unsupported-media-type',
      'Send the body as JSON, with the header Content-Type: application/json.',
    );
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new Problem('unsupported-media-type', 'Send the body in UTF-8.');
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type', 'Send the body without a Content-Encoding.');
  }
}

async function readBody(stream: IncomingMessage, limit: number): Promise<Buffer> {
  // The rest is thrown away as it arrives: were the connection closed, a client in the middle of
  // sending would see that instead of this answer, and try again.
  const tooLarge = () => {
    stream.resume();
    return new Problem('payload-too-large', `The body is over the limit of ${limit} bytes.`);
  };
  if (Number(stream.headers['content-length'] ?? 0) > limit) {
    throw tooLarge();
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > limit) {
        throw tooLarge();
      }
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof Problem) {
      throw error;
    }
    throw new Problem('malformed-request', 'The connection ended before the whole body arrived.', {
      cause: error,
    });
  }
  return Buffer.concat(chunks, size);
}
