import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from '../cli-error.js';
import { writeWhole } from '../whole-file.js';

/** How a token is made anew when it expires: OAuth 2.0 refresh tokens. */
export interface Renewal {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly refreshToken: string;
}

/** Whom to talk to, as whom. */
export interface Profile {
  readonly url: string;
  readonly org: string;
  readonly token: string;
  readonly renewal?: Renewal | undefined;
}

interface Config {
  readonly profiles: Readonly<Record<string, Profile>>;
}

const NOBODY: Config = { profiles: {} };
/** Group and others. */
const FOREIGN_BITS = 0o077;

/** The folder of the user's settings for this command. */
export function configFolder(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
  platform: NodeJS.Platform = process.platform,
): string {
  const { XDG_CONFIG_HOME = '', APPDATA = '' } = env;
  // By the specification a relative one is to be ignored.
  if (path.isAbsolute(XDG_CONFIG_HOME)) return path.join(XDG_CONFIG_HOME, 'headframe');
  if (platform === 'win32' && APPDATA !== '') return path.join(APPDATA, 'headframe');
  return path.join(home, '.config', 'headframe');
}

/** The profiles of the user: in one file that nobody else may read, since there are tokens in it. */
export class ProfileStore {
  private readonly file: string;

  constructor(
    private readonly folder: string,
    private readonly note: (text: string) => void,
  ) {
    this.file = path.join(folder, 'config.json');
  }

  /** @returns null when there is none of that name */
  async read(name: string): Promise<Profile | null> {
    const { profiles } = await this.config();
    return Object.hasOwn(profiles, name) ? (profiles[name] ?? null) : null;
  }

  async names(): Promise<string[]> {
    return Object.keys((await this.config()).profiles);
  }

  async write(name: string, profile: Profile): Promise<void> {
    const { profiles } = await this.config();
    const config: Config = { profiles: { ...profiles, [name]: profile } };
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeWhole(this.file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  }

  private async config(): Promise<Config> {
    let text: string;
    try {
      await this.guard();
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NOBODY;
      throw error;
    }
    const config = configIn(text);
    if (config !== null) return config;
    throw usageError(
      `${this.file} is no configuration of headframe.`,
      `Mend it, or delete it and sign in again: headframe login`,
    );
  }

  /** Takes the file from others who may read it, and says so: a token in it may be known to them. */
  private async guard(): Promise<void> {
    const { mode } = await stat(this.file);
    if (process.platform === 'win32' || (mode & FOREIGN_BITS) === 0) return;
    await chmod(this.file, 0o600);
    this.note(
      `Others could read ${this.file} (mode ${(mode & 0o777).toString(8)}); now only you can. ` +
        'If they may have, sign in again: headframe login',
    );
  }
}

function configIn(text: string): Config | null {
  try {
    const { profiles } = JSON.parse(text) as { profiles?: Record<string, Partial<Profile>> };
    const isSound = Object.values(profiles ?? { broken: {} }).every(({ url, org, token }) =>
      [url, org, token].every((member) => typeof member === 'string'),
    );
    return isSound ? ({ profiles } as Config) : null;
  } catch {
    return null;
  }
}
