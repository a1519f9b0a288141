import { Controller, Get, Inject, Logger, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.js';
import { scopeNames } from '../auth/scopes.js';
import { CONFIG, type Config } from '../platform/config.js';
import { JsonBodies } from '../platform/http/body/json-body.js';
import { Problem } from '../platform/http/problem/problem.js';
import { AnyToken, Public } from '../platform/http/public.decorator.js';
import { AddressRates } from '../platform/rate-limit/address-rates.js';
import { VERSION } from '../platform/version.js';
import { DevelopmentSignIn } from './development-sign-in.js';
import { refuseOtherPages } from './own-page.js';
import { EXCHANGE, isResource, ProviderSignIn } from './provider-sign-in.js';

/** A code and a verifier have some hundred bytes. */
const MAX_EXCHANGE_BYTES = 16_384;
/** Under which the bodies of those who are nobody yet count in the budgets. */
const NOBODY = 'console';

/** Which ways to sign in there are, or null where one is not offered. */
export interface SignInWays {
  readonly development: DevelopmentSignIn | null;
  readonly provider: ProviderSignIn | null;
}
/** Injection token of {@link SignInWays}. */
export const SIGN_IN_WAYS = Symbol('SIGN_IN_WAYS');

/** What the console's page asks before it can ask the API. */
@Controller('console')
@ApiExcludeController()
export class SignInController {
  private readonly logger = new Logger('Console');

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(SIGN_IN_WAYS) private readonly ways: SignInWays,
    private readonly bodies: JsonBodies,
    private readonly addresses: AddressRates,
  ) {}

  /** Which ways to sign in there are. */
  @Get('config.json')
  @Public(true)
  configuration(@Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('cache-control', 'no-store');
    return {
      version: VERSION,
      development: this.ways.development !== null,
      provider: this.ways.provider !== null,
    };
  }

  /** Whom the token is for, in the service's own words: claims and scopes may be called anything. */
  @Get('session')
  @AnyToken(true)
  session(
    @Req() request: FastifyRequest & { user: Caller },
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { subject, organizations, scopes, expiresAt } = request.user;
    const names = scopeNames(this.config);
    void reply.header('cache-control', 'no-store');
    return {
      subject,
      organizations: [...organizations],
      scopes: Object.entries(names)
        .filter(([, name]) => scopes.has(name))
        .map(([scope]) => scope),
      // From now, by the clock that judges it: that of the browser may be an hour off.
      expires_in: Math.max(0, expiresAt - Math.floor(Date.now() / 1_000)),
    };
  }

  @Post('development-token')
  @Public(true)
  async developmentToken(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { development } = this.ways;
    if (development === null) {
      throw new Problem('not-found', 'Development sign-in is not offered here: paste a token.');
    }
    const token = await development.token(request);
    this.logger.log('signed in for development');
    void reply.status(200).header('cache-control', 'no-store');
    return { token };
  }

  @Get('provider')
  @Public(true)
  async provider(@Res({ passthrough: true }) reply: FastifyReply) {
    const { audience, ...authorization } = await this.providerWay().authorization();
    void reply.header('cache-control', 'no-store');
    return {
      ...authorization,
      ...(audience !== null && { audience }),
      ...(isResource(audience ?? undefined) && { resource: audience }),
    };
  }

  @Post('provider/token')
  @Public(true)
  async providerToken(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const provider = this.providerWay();
    refuseOtherPages(request);
    if (!(Number(request.headers['content-length']) <= MAX_EXCHANGE_BYTES)) {
      request.raw.resume();
      throw new Problem('payload-too-large', 'A code is not so long: begin the sign-in again.');
    }
    const body = await this.bodies.use(request, NOBODY, async (bytes) => parsed(bytes));
    // Codes are guessed at the provider's expense: an address that sends wrong ones is stopped here.
    const token = await this.addresses.verify(
      request.ip,
      () => provider.exchange(body),
      (error) => error instanceof Problem && error.slug === 'unauthorized',
    );
    void reply.status(200).header('cache-control', 'no-store');
    return { token };
  }

  private providerWay(): ProviderSignIn {
    const { provider } = this.ways;
    if (provider === null) {
      throw new Problem('not-found', 'Sign-in at a provider is not offered here: paste a token.');
    }
    return provider;
  }
}

function parsed(bytes: Buffer) {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw new Problem('malformed-request', 'The body is not JSON: begin the sign-in again.');
  }
  const { data, success } = EXCHANGE.safeParse(value);
  if (!success) {
    throw new Problem('invalid-parameters', 'The code cannot be read: begin the sign-in again.');
  }
  return data;
}
