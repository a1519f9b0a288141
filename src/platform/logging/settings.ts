import type { Config } from '../config.js';

/** Names of variables whose value must never be logged, present or future. */
const SECRET = /SECRET|PASSWORD|KEY|TOKEN|CREDENTIAL|HEADERS/;

/**
 * The settings in force, for the log: a secret only as "set", an address without what may be one in
 * it (user, password, query). Settings that are not set are left out.
 */
export function settingsOf(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, SECRET.test(name) ? 'set' : withoutCredentials(value)]),
  );
}

function withoutCredentials(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutCredentials);
  }
  if (typeof value !== 'string' || !/^[a-z][a-z+.-]*:\/\//i.test(value)) {
    return value;
  }
  if (!URL.canParse(value)) {
    return 'set';
  }
  // By its parts: `host` has no user in it, and `href` would.
  const { protocol, host, pathname } = new URL(value);
  return `${protocol}//${host}${pathname.replace(/\/$/, '')}`;
}
