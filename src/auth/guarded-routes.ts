import { Injectable, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { AnyToken, Public } from '../platform/http/public.decorator.js';
import { RouteScope } from './auth.decorators.js';

/** A route without a decision on who may call it would be open to every token: the service does not start. */
export class UnguardedRouteError extends Error {
  override name = 'UnguardedRouteError';
}

/** Demands of every route that it says in one way whom it is for: a scope, any token, or everybody. */
@Injectable()
export class GuardedRoutes implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  /** @throws UnguardedRouteError that names the routes */
  onModuleInit(): void {
    const undecided = this.discovery.getControllers().flatMap(({ metatype }) => {
      const prototype = metatype?.prototype as Record<string, unknown> | undefined;
      return prototype === undefined || metatype === null
        ? []
        : this.scanner
            .getAllMethodNames(prototype)
            .map((name) => ({ name, handler: prototype[name] as () => unknown }))
            .filter(({ handler }) => Reflect.hasMetadata(METHOD_METADATA, handler))
            .filter(({ handler }) => !this.isDecided(handler, metatype))
            .map(({ name, handler }) => {
              const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
              return `${metatype.name}.${name} (${RequestMethod[method]})`;
            });
    });
    if (undecided.length > 0) {
      throw new UnguardedRouteError(
        `These routes do not say whom they are for: ${undecided.join(', ')}. Give each one of @RequireScope(…), @AnyToken(true) and @Public(true), and no more.`,
      );
    }
  }

  /** Exactly one marker: in a controller that is public, the scope of a route would not count. */
  private isDecided(handler: () => unknown, controller: object): boolean {
    const places = [handler, controller as () => unknown];
    const markers = [Public, AnyToken, RouteScope].filter(
      (marker) => this.reflector.getAllAndOverride(marker as typeof Public, places) !== undefined,
    );
    return markers.length === 1;
  }
}
