import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type OrganizationBucket, OrganizationRates } from './organization-rates.js';

/** What a route's requests are counted as; `requests` when it does not say. */
export const CountedAs = Reflector.createDecorator<OrganizationBucket>();

/**
 * May the organization send another one? Before anything is asked of the database. A submit is counted
 * by its own route: its body is judged first.
 */
@Injectable()
export class OrganizationRatesGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly rates: OrganizationRates,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const { params } = http.getRequest<FastifyRequest<{ Params: { org_id?: string } }>>();
    const bucket =
      this.reflector.getAllAndOverride(CountedAs, [context.getHandler(), context.getClass()]) ??
      'requests';
    // Only below an organization that the token grants: its guard came before.
    if (bucket === 'submits' || params.org_id === undefined) {
      return true;
    }
    const late = this.rates.admit(params.org_id, bucket, http.getResponse<FastifyReply>());
    return late instanceof Promise ? late.then(() => true) : true;
  }
}
