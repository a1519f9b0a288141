import { createHash } from 'node:crypto';
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../platform/http/problem/problem.js';

export const IDEMPOTENCY_KEY_HEADER = 'idempotency-key';
/** 1 to 255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Refuses a malformed `Idempotency-Key` before the body is read. */
@Injectable()
export class KeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    keyOf(context);
    return true;
  }
}

/** SHA-256 of the request's `Idempotency-Key`, or null: the key itself is kept nowhere. */
export const KeyDigest = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Buffer | null => {
    const key = keyOf(context);
    return key === null ? null : createHash('sha256').update(key).digest();
  },
);

/** @throws Problem `malformed-request` */
function keyOf(context: ExecutionContext): string | null {
  const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
  const key = headers[IDEMPOTENCY_KEY_HEADER];
  if (key === undefined) {
    return null;
  }
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new Problem(
      'malformed-request',
      'The header Idempotency-Key must be 1 to 255 visible ASCII characters: make a new one, a UUID for instance.',
    );
  }
  return key;
}
