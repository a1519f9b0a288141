import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../../config.js';
import { BodyBudget, type Reservation } from './body-budget.js';
import { letBodyCome } from './expect-continue.js';
import { Problem } from '../problem/problem.js';

/**
 * Reads the bodies of routes that want one. A route asks for it after its guards, so that nobody makes
 * the service read a body who may not send one, and so that the token, the organization and the path are
 * judged before the body is.
 */
@Injectable()
export class JsonBodies {
  private readonly budget: BodyBudget;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.budget = new BodyBudget(config.BODY_BUDGET_BYTES, config.BODY_BUDGET_ORG_BYTES);
  }

  /**
   * Reads a body and hands its bytes on; they count in the budgets until the work with them has ended.
   * @param work may give the bytes away (transfer their memory), which nobody else holds
   * @throws Problem `unsupported-media-type`, `payload-too-large`, `too-many-requests` or `unavailable`
   *   before anything is read, when the headers tell so much
   */
  async use<T>(
    request: FastifyRequest,
    organization: string,
    work: (bytes: Buffer<ArrayBuffer>) => Promise<T>,
  ): Promise<T> {
    const { raw } = request;
    const reservation = this.admit(raw, organization);
    try {
      return await work(await readBody(raw, this.config.BODY_LIMIT_BYTES, reservation));
    } finally {
      reservation.release();
    }
  }

  /** All that is decided before a body is read; a body that is refused is thrown away as it arrives. */
  private admit(raw: IncomingMessage, organization: string): Reservation {
    refuseOtherMediaTypes(raw.headers);
    const length = Number(raw.headers['content-length'] ?? 0);
    try {
      if (length > this.config.BODY_LIMIT_BYTES) {
        throw tooLarge(this.config.BODY_LIMIT_BYTES);
      }
      return this.budget.reserve(organization, length);
    } catch (error) {
      raw.resume();
      throw error;
    }
  }
}

const tooLarge = (limit: number): Problem =>
  new Problem('payload-too-large', `The body is over the limit of ${limit} bytes.`);

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

/**
 * One copy of a body whose length was announced: each piece goes to its place as it comes. By plain
 * events, since this is done for every submit: an iterator of the stream is made of many more.
 */
function readBody(
  stream: IncomingMessage,
  limit: number,
  reservation: Reservation,
): Promise<Buffer<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const { 'content-length': announced } = stream.headers;
    const whole = announced === undefined ? null : Buffer.allocUnsafeSlow(Number(announced));
    const chunks: Buffer[] = [];
    let size = 0;
    // The rest is thrown away as it arrives: were the connection closed, a client in the middle of
    // sending would see that instead of this answer, and try again.
    const refuse = (problem: unknown): void => {
      chunks.length = 0;
      stream.off('data', take).resume();
      reject(problem as Error);
    };
    const take = (chunk: Buffer): void => {
      const at = size;
      size += chunk.length;
      if (whole !== null) {
        chunk.copy(whole, at);
        return;
      }
      try {
        if (size > limit) {
          throw tooLarge(limit);
        }
        reservation.grow(chunk.length);
        chunks.push(chunk);
      } catch (problem) {
        refuse(problem);
      }
    };
    const cutOff = (cause?: Error): void => {
      chunks.length = 0;
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
    letBodyCome(stream);
    stream.on('data', take);
    stream.on('end', () => resolve(whole ?? joined(chunks, size)));
    stream.on('error', cutOff);
    stream.on('close', () => {
      if (!stream.readableEnded) {
        cutOff();
      }
    });
  });
}

/** The pieces in memory of their own, each given up once it is copied. */
function joined(chunks: Buffer[], size: number): Buffer<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (let index = 0; index < chunks.length; index += 1) {
    at += (chunks[index] as Buffer).copy(whole, at);
    chunks[index] = Buffer.alloc(0);
  }
  return whole;
}
