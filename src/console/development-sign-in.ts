import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { signedToken } from '../auth/keys/signed-token.js';
import { EXAMPLE_ORGANIZATION } from '../jobs/job/examples.js';
import type { Config } from '../platform/config.js';
import { Problem } from '../platform/http/problem/problem.js';
import { refuseOtherPages } from './own-page.js';

/** A working day. */
const SECONDS = 8 * 3_600;
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Signs the developer in at the service of this very machine: only where it runs on its embedded
 * database with the development key, and only for its own page, opened on this machine.
 */
export class DevelopmentSignIn {
  private constructor(
    private readonly config: Config,
    private readonly key: string,
  ) {}

  /** @param key the development key; null when the configuration names another. @returns null: not offered */
  static offered(config: Config, key: string | null): DevelopmentSignIn | null {
    return key !== null &&
      config.NODE_ENV !== 'production' &&
      config.DATABASE_URL === undefined &&
      config.PUBLIC_URL === undefined &&
      config.TRUST_PROXY === false &&
      isLoopback(config.HOST)
      ? new DevelopmentSignIn(config, key)
      : null;
  }

  /**
   * A token with every scope, for the organization of the examples.
   * @throws Problem `forbidden` for any page but the console's, and for any other machine
   */
  token(request: FastifyRequest): Promise<string> {
    refuseOtherPages(request);
    // The name, too: another site's name may be made to lead here (DNS rebinding), and is its own origin.
    const name = (request.headers.host ?? '').replace(/:\d+$/, '');
    if (!isLoopback(request.raw.socket.remoteAddress ?? '') || !LOOPBACK_NAMES.has(name)) {
      throw new Problem(
        'forbidden',
        'Development sign-in works on the machine of the service alone: open it as http://localhost.',
      );
    }
    const { AUTH_SCOPE_READ, AUTH_SCOPE_EXECUTE, AUTH_SCOPE_ADMIN } = this.config;
    return signedToken(this.config, this.key, {
      organizations: [EXAMPLE_ORGANIZATION],
      scope: [AUTH_SCOPE_READ, AUTH_SCOPE_EXECUTE, AUTH_SCOPE_ADMIN].join(' '),
      subject: 'developer',
      client: 'headframe-console',
      seconds: SECONDS,
    });
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host === '::1' ||
  (isIP(host.replace(/^::ffff:/, '')) === 4 && /^(::ffff:)?127\./.test(host));
