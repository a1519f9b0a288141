import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { GuardedRoutes } from './guarded-routes.js';
import { JwtGuard } from './tokens/jwt.guard.js';
import { JwtStrategy, VERIFICATION_KEY } from './tokens/jwt.strategy.js';
import { OrganizationGuard } from './organization.guard.js';
import type { VerificationKey } from './keys/verification-key.js';

/**
 * Closed by default: these guards stand before every route of the application, and a route that does not
 * say whom it is for keeps the service from starting.
 */
@Module({})
export class AuthModule {
  static forRoot(key: VerificationKey): DynamicModule {
    return {
      module: AuthModule,
      imports: [PassportModule, DiscoveryModule],
      providers: [
        { provide: VERIFICATION_KEY, useValue: key },
        JwtStrategy,
        GuardedRoutes,
        { provide: APP_GUARD, useClass: JwtGuard },
        { provide: APP_GUARD, useClass: OrganizationGuard },
      ],
    };
  }
}
