import type { Config } from '../platform/config.js';
import type { Scope } from './caller.js';

/** How the identity provider calls each of our scopes. */
export type ScopeNames = Readonly<Record<Scope, string>>;

export const scopeNames = (
  config: Pick<Config, 'AUTH_SCOPE_READ' | 'AUTH_SCOPE_EXECUTE' | 'AUTH_SCOPE_ADMIN'>,
): ScopeNames => ({
  'compute:read': config.AUTH_SCOPE_READ,
  'compute:execute': config.AUTH_SCOPE_EXECUTE,
  'compute:admin': config.AUTH_SCOPE_ADMIN,
});
