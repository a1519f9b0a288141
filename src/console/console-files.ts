import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the build of the console lies: the same place in a checkout and in the image. */
const BUILT = fileURLToPath(new URL('../../packages/console/dist/', import.meta.url));

/** A file of the console, as it is sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** The same compressed; null where that saves nothing. */
  readonly gzip: Buffer | null;
  /** Whether its name changes with its contents. */
  readonly immutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
};

/** In index.html: where the console is mounted, which `PUBLIC_URL` says. */
const BASE = '<base href="/console/" />';

/**
 * The built console, read once and kept: a megabyte. What is not among these names is not there, so that
 * no path of a request is ever looked up in a file system.
 */
export class ConsoleFiles {
  private constructor(private readonly files: ReadonlyMap<string, ConsoleFile>) {}

  /**
   * @param prefix path under which clients see the service, without a slash at its end
   * @returns null when the console has not been built
   */
  static read(prefix: string, folder: string = BUILT): ConsoleFiles | null {
    let names: string[];
    try {
      names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    } catch {
      return null;
    }
    const files = new Map<string, ConsoleFile>();
    for (const name of names) {
      const type = TYPES[name.split('.').at(-1) ?? ''];
      if (type === undefined) continue;
      const isPage = name === 'index.html';
      const gzip = `${name}.gz`;
      files.set(name.replaceAll(sep, '/'), {
        type,
        bytes: isPage ? page(join(folder, name), prefix) : readFileSync(join(folder, name)),
        gzip: !isPage && names.includes(gzip) ? readFileSync(join(folder, gzip)) : null,
        immutable: name.startsWith('assets'),
      });
    }
    return files.has('index.html') ? new ConsoleFiles(files) : null;
  }

  /** @param name below `/console/`; null when there is no such file */
  find(name: string): ConsoleFile | null {
    return this.files.get(name) ?? null;
  }

  /** The one page, which shows every address of the console. */
  get page(): ConsoleFile {
    return this.files.get('index.html') as ConsoleFile;
  }
}

function page(file: string, prefix: string): Buffer {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(BASE)) {
    throw new Error(`The console's index.html has no ${BASE}: build it anew.`);
  }
  return Buffer.from(text.replace(BASE, `<base href="${escaped(prefix)}/console/" />`));
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
