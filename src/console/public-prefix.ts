import type { Config } from '../platform/config.js';

/** The path under which clients see the service, without a slash at its end. */
export const publicPrefix = ({ PUBLIC_URL }: Pick<Config, 'PUBLIC_URL'>): string =>
  PUBLIC_URL === undefined ? '' : new URL(PUBLIC_URL).pathname.replace(/\/+$/, '');
