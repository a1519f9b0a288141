import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createParamDecorator, Inject, Injectable, type PipeTransform } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../config.js';
import { letBodyCome } from './expect.continue.js';
import { parseIJson } from './i-json.js';
import { Problem } from './problem.js';

const Request = createParamDecorator((_, context): FastifyRequest =>
  context.switchToHttp().getRequest<FastifyRequest>(),
);

/**
 * The body of a route, read and parsed. A pipe runs after the guards, so that nobody makes the service
 * read a body who may not send one, and so that the token, the organization and the path are judged
 * before the body is.
 */
export const JsonBody = (): ParameterDecorator => Request(JsonBodyPipe);

/** Bodies as they came, for as long as their requests are served. */
const bodies = new WeakMap<FastifyRequest, Buffer>();

/** SHA-256 of the bytes of a body that was read: two spellings of one document differ. */
export const bodyDigest = (request: FastifyRequest): Buffer =>
  createHash('sha256')
    .update(bodies.get(request) as Buffer)
    .digest();

@Injectable()
class JsonBodyPipe implements PipeTransform<FastifyRequest, Promise<unknown>> {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async transform(request: FastifyRequest): Promise<unknown> {
    const { raw } = request;
    refuseOtherMediaTypes(raw.headers);
    const bytes = await readBody(raw, this.config.BODY_LIMIT_BYTES);
    bodies.set(request, bytes);
    return parseIJson(bytes);
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

/** By plain events, since this is done for every submit: an iterator of the stream is made of many more. */
function readBody(stream: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // The rest is thrown away as it arrives: were the connection closed, a client in the middle of
    // sending would see that instead of this answer, and try again.
    const refuse = (): void => {
      chunks.length = 0;
      stream.off('data', take).resume();
      reject(new Problem('payload-too-large', `The body is over the limit of ${limit} bytes.`));
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        refuse();
      } else {
        chunks.push(chunk);
      }
    };
    const cutOff = (cause?: Error): void => {
      reject(
        new Problem('malformed-request', 'The connection ended before the whole body arrived.', {
          cause,
        }),
      );
    };
    if (stream.destroyed) {
      cutOff();
      return;
    }
    if (Number(stream.headers['content-length'] ?? 0) > limit) {
      refuse();
      return;
    }
    letBodyCome(stream);
    stream.on('data', take);
    stream.on('end', () => resolve(Buffer.concat(chunks, size)));
    stream.on('error', cutOff);
    stream.on('close', () => {
      if (!stream.readableEnded) {
        cutOff();
      }
    });
  });
}
