import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';

const PREFIX = 'headframe-work-';
const SOCKET = 'owner';
/** A folder without a socket is somebody's who has just begun. */
const JUST_BEGUN_MS = 60_000;

/**
 * Working folders of attempts, below one folder of this process in the system's temporary folder. As
 * long as the process lives, a socket in that folder can be connected to: so others know, whatever
 * container or process namespace they are in, whether they may remove what was left.
 */
@Injectable()
export class WorkFolders implements OnApplicationShutdown {
  private readonly logger = new Logger('WorkFolders');
  private own: Promise<{ readonly path: string; readonly server: Server }> | null = null;

  /** @returns the absolute path of a new, empty folder that only this user can enter */
  async make(): Promise<string> {
    this.own ??= this.begin();
    const folder = join((await this.own).path, randomUUID());
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  /** Removes a folder with all that is in it. Never rejects. */
  async remove(folder: string): Promise<void> {
    try {
      await removeWhole(folder);
    } catch (error) {
      this.logger.warn({ err: error }, 'a working folder could not be removed');
    }
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.own === null) {
      return;
    }
    const { path, server } = await this.own;
    server.close();
    await this.remove(path);
  }

  private async begin(): Promise<{ path: string; server: Server }> {
    await this.sweep();
    const path = await mkdtemp(join(tmpdir(), PREFIX));
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(join(path, SOCKET), resolve);
    });
    server.unref();
    return { path, server };
  }

  /** Removes the folders of processes that were killed. */
  private async sweep(): Promise<void> {
    for (const name of await readdir(tmpdir())) {
      const folder = join(tmpdir(), name);
      if (name.startsWith(PREFIX) && (await isAbandoned(folder))) {
        await this.remove(folder);
        this.logger.log({ folder: name }, 'removed what a killed process left');
      }
    }
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  try {
    const { uid, mtimeMs } = await stat(folder);
    if (uid !== process.getuid?.()) {
      return false;
    }
    const answer = await knock(join(folder, SOCKET));
    return (
      answer === 'ECONNREFUSED' || (answer === 'ENOENT' && Date.now() - mtimeMs > JUST_BEGUN_MS)
    );
  } catch {
    return false;
  }
}

/** @returns the error code with which a socket refuses, or null when somebody listens */
function knock(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(null);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? null));
  });
}

/** Also what the command made unwritable for its owner, such as a module cache. */
async function removeWhole(folder: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 3 } as const;
  try {
    await rm(folder, options);
  } catch {
    await promisify(execFile)('chmod', ['-R', 'u+rwX', folder]);
    await rm(folder, options);
  }
}
