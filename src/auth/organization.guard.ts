import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../platform/http/problem/problem.js';
import { Public } from '../platform/http/public.decorator.js';
import { RouteScope } from './auth.decorators.js';
import { CONFIG, type Config } from '../platform/config.js';
import type { Caller } from './caller.js';
import { type ScopeNames, scopeNames } from './scopes.js';

interface Params {
  org_id?: string;
  readonly '*'?: string;
}

/**
 * Is this organization yours, and may you do this? Decided from the token alone, before any query,
 * so that the answer is the same whether or not the organization exists.
 */
@Injectable()
export class OrganizationGuard implements CanActivate {
  private readonly names: ScopeNames;

  constructor(
    private readonly reflector: Reflector,
    @Inject(CONFIG) config: Config,
  ) {
    this.names = scopeNames(config);
  }

  canActivate(context: ExecutionContext): boolean {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride(Public, places) === true) {
      return true;
    }
    const request = context
      .switchToHttp()
      .getRequest<FastifyRequest<{ Params: Params }> & { user: Caller }>();
    const organization = organizationOf(request.params)?.toLowerCase();
    if (organization !== undefined) {
      if (!request.user.organizations.has(organization)) {
        throw new Problem('forbidden', 'The token does not grant this organization.');
      }
      request.params.org_id = organization;
    }
    const demanded = this.reflector.getAllAndOverride(RouteScope, places);
    const scope = demanded === undefined ? undefined : this.names[demanded];
    if (scope !== undefined && !request.user.scopes.has(scope)) {
      throw new Problem('forbidden', `The token lacks the scope ${scope}.`, {
        headers: {
          'www-authenticate': `Bearer realm="headframe", error="insufficient_scope", scope="${scope}"`,
        },
      });
    }
    return true;
  }
}

/** The organization in the path; a request that no route took has the path behind `/compute/` whole. */
const organizationOf = ({ org_id, '*': rest = '' }: Params): string | undefined =>
  org_id ?? /^orgs\/([^/]*)/.exec(rest)?.[1];
