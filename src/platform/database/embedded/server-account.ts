import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, parse } from 'node:path';
import { EmbeddedPostgresError, USE_YOUR_OWN } from './embedded-postgres.error.js';

/** The operating system's user that the embedded server runs as. */
export interface ServerAccount {
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root. When this process is root, the server runs as the owner of
 * its existing data, else as `postgres`, else as `nobody`. Otherwise (undefined) it runs as the
 * user who started this process.
 *
 * @param dataDirectory the server's data directory, which may not exist yet
 */
export function serverAccount(dataDirectory?: string): ServerAccount | undefined {
  if (process.platform === 'win32' || process.getuid?.() !== 0) return undefined;
  if (process.platform !== 'linux') {
    throw new EmbeddedPostgresError(
      `PostgreSQL refuses to run as root: start as an ordinary user. ${USE_YOUR_OWN}`,
    );
  }
  const owner = dataDirectory && statSync(dataDirectory, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return namedAccount('postgres') ?? namedAccount('nobody') ?? { uid: 65534, gid: 65534 };
}

function namedAccount(name: string): ServerAccount | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid && Number(uid) > 0 ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

/**
 * The first folder on the way to `path` that the account may not pass through, undefined when
 * there is none. Parts of the path that do not exist yet are no obstacle: we make them.
 */
export function obstacleFor(account: ServerAccount | undefined, path: string): string | undefined {
  if (!account) return undefined;
  let existing = path;
  while (!statSync(existing, { throwIfNoEntry: false })) existing = dirname(existing);
  const real = realpathSync(existing);
  const way = [real];
  for (let at = real; at !== parse(at).root;) way.unshift((at = dirname(at)));
  return way.find((folder) => !mayPass(account, folder));
}

function mayPass({ uid, gid }: ServerAccount, folder: string): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
  return (mode & bit) !== 0;
}
