import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { CONFIG_SCHEMA } from './config.js';

/** What the operating system, Node and libraries may still ask the C library for; no secrets. */
const KEPT =
  /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|HOSTNAME|TERM|TZ|TMPDIR|LANG|LANGUAGE|LC_\w+|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF)$/;
/** Where proc_pid_stat(5) has the addresses of the first and behind the last byte, counted from 1. */
const [ENV_START, ENV_END] = [50, 51];
/** The fields behind the name, which may have blanks and parentheses in it, begin with the third. */
const FIRST_BEHIND_NAME = 3;

/**
 * Takes the environment that this process was started with out of sight, once its settings are read:
 * the commands of tasks run as the same user and could read it in `/proc`. The service's own variables
 * are gone for all; others stay in `process.env`, where a manifest may ask for them by name.
 *
 * @returns whether `/proc/<pid>/environ` shows no more than harmless variables; false where the
 *   platform has another way to show it, or does not let the process write there
 */
export function hideEnvironment(): boolean {
  // A copy that only this thread of JavaScript has: the C library's is blanked below.
  process.env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !Object.hasOwn(CONFIG_SCHEMA.shape, name)),
  );
  if (process.platform !== 'linux') {
    return false;
  }
  try {
    blank();
    return shown().every((entry) => KEPT.test(nameOf(entry)));
  } catch {
    return false;
  }
}

/**
 * Variables of this process that a command may be given, by name; those that are not set are left out,
 * and the service's own and those of the database's library, which hold its secrets, are never among them.
 */
export function inheritedVariables(
  names: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const given = names
    .filter((name) => !Object.hasOwn(CONFIG_SCHEMA.shape, name) && !/^PG[A-Z]/.test(name))
    .map((name) => [name, environment[name]] as const);
  return Object.fromEntries(
    given.filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** Overwrites entries in place, so that all others stay where the C library knows them. */
function blank(): void {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const start = Number(fields[ENV_START - FIRST_BEHIND_NAME]);
  const end = Number(fields[ENV_END - FIRST_BEHIND_NAME]);
  const memory = openSync('/proc/self/mem', 'r+');
  try {
    const bytes = Buffer.alloc(end - start);
    const length = readSync(memory, bytes, 0, bytes.length, start);
    let from = 0;
    while (from < length) {
      const zero = bytes.indexOf(0, from);
      const to = zero === -1 ? length : zero;
      if (!KEPT.test(nameOf(bytes.toString('latin1', from, to)))) {
        bytes.fill(0, from, to);
      }
      from = to + 1;
    }
    writeSync(memory, bytes, 0, length, start);
  } finally {
    closeSync(memory);
  }
}

function shown(): string[] {
  return readFileSync('/proc/self/environ', 'latin1')
    .split('\0')
    .filter((entry) => entry !== '');
}

const nameOf = (entry: string): string => entry.split('=')[0] ?? '';
