import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run, withoutOuterNpm } from './command.mjs';
import { SetupFailure } from './failure.mjs';
import { fingerprint, readStamps, stamp } from './fingerprint.mjs';

/** Room that a first installation takes: in the project's folder, and in npm's cache. */
const PROJECT_MB = 800;
const CACHE_MB = 400;
/** Where npm notes what it has really put into node_modules. */
const INSTALLED = 'node_modules/.package-lock.json';

/**
 * Whether node_modules holds what package-lock.json asks for. The truth is npm's own note and the
 * folders, not a stamp: an interrupted, partial or hand-made installation is seen for what it is.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = packagesOf(path.join(root, 'package-lock.json'));
  const present = packagesOf(path.join(root, INSTALLED));
  if (wanted === null) throw new SetupFailure(`${root}package-lock.json is missing or damaged.`);
  if (present === null) return false;

  const triedOnThisMachine = readStamps(root).install === installFingerprint(root);
  return (
    Object.entries(wanted).every(([place, entry]) => {
      if (place === '' || !place.startsWith('node_modules/')) return true;
      const found = present[place];
      if (found === undefined)
        return isOptionalHere(entry) || (entry.optional && triedOnThisMachine);
      if (Boolean(found.link) !== Boolean(entry.link)) return false;
      return found.version === entry.version && found.integrity === entry.integrity;
    }) && Object.keys(present).every((place) => existsSync(path.join(root, place)))
  );
}

/**
 * Installs exactly what package-lock.json says. No package of ours needs an install script, so none
 * is run.
 * @param {string} root
 * @param {(pid: number) => void} onStart told the process that does it
 */
export async function install(root, onStart) {
  const firstTime = !existsSync(path.join(root, INSTALLED));
  const full = firstTime ? fullDisks(root) : [];
  if (full.length > 0) throw new SetupFailure(diskFull(full));

  // With a dead network npm tries every package before it gives up, for minutes: ask once, and then
  // let it take what its cache has.
  const ping =
    process.env.npm_config_offline === 'true' ? null : await npm(root, ['ping', ...PING]);
  const unreachable = ping !== null && !ping.ok && UNREACHABLE.test(codeOf(ping.output));
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-progress', ...BRISK];
  // A machine that has NODE_ENV=production set still needs the compiler.
  flags.push('--include=dev', '--include=optional');
  if (unreachable) flags.push('--offline');
  const { ok, output } = await npm(root, ['ci', ...flags], onStart);
  if (!ok) {
    const uncached = unreachable && codeOf(output) === 'ENOTCACHED';
    throw new SetupFailure(explainNpm(uncached ? ping.output : output, root));
  }
  stamp(root, 'install', installFingerprint(root));
  if (!isInstalled(root)) {
    throw new SetupFailure(
      'npm reported success, but node_modules does not hold what package-lock.json asks for.\n' +
        'Delete node_modules and try again; when it repeats, run npm ci by hand and look at what it says.',
    );
  }
}

/** npm's own pauses between attempts, 10 and 60 seconds, leave people wondering. */
const BRISK = [
  '--loglevel=error',
  '--fetch-retries=3',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=8000',
];
const PING = [
  ...BRISK,
  '--fetch-retries=2',
  '--fetch-retry-maxtimeout=2000',
  '--fetch-timeout=15000',
];

/** @param {string} root @param {string[]} args @param {(pid: number) => void} [onStart] */
function npm(root, args, onStart) {
  const command = npmCommand();
  const env = withoutOuterNpm(process.env);
  const options = { cwd: root, env, shell: command.shell, onStart };
  return run(command.program, [...command.args, ...args], options);
}

/** @param {string} root */
function installFingerprint(root) {
  return `${process.platform}-${process.arch}-${fingerprint(root, ['package-lock.json'])}`;
}

/**
 * @param {string} file
 * @returns {Record<string, {version?: string, integrity?: string, link?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[]}> | null}
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}

/** Whether npm may rightly leave a package out on this machine. */
function isOptionalHere(entry) {
  if (!entry.optional) return false;
  const forSome = entry.os !== undefined || entry.cpu !== undefined;
  const fits = allows(entry.os, process.platform) && allows(entry.cpu, process.arch);
  // Which C library is here is not worth finding out: npm knew.
  return !forSome || !fits || entry.libc !== undefined;
}

/** @param {string[] | undefined} list names, or `!name` for all others */
function allows(list, name) {
  if (list === undefined || list.length === 0) return true;
  if (list.includes(`!${name}`)) return false;
  return list.includes(name) || list.every((each) => each.startsWith('!'));
}

/**
 * The folders on whose disk there is too little room for a first installation.
 * @param {string} root
 */
function fullDisks(root) {
  const home = process.env.HOME ?? os.homedir();
  const cache = process.env.npm_config_cache ?? path.join(home, '.npm');
  const project = { folder: root, needs: PROJECT_MB, ...disk(root) };
  const packages = { folder: cache, needs: CACHE_MB, ...disk(cache) };
  const disks =
    project.device === packages.device
      ? [{ ...project, needs: PROJECT_MB + CACHE_MB }]
      : [project, packages];
  return disks.filter(({ free, needs }) => free < needs);
}

/** @param {{folder: string, needs: number, free: number}[]} full */
function diskFull(full) {
  const advice = full.map(
    ({ folder, needs, free }) =>
      `free about ${needs - free} MB in ${folder} (${free} MB are free, ${needs} MB are needed)`,
  );
  return `The disk is full: ${advice.join(', and ')}, and try again.`;
}

/**
 * The disk of a folder that need not exist yet, and the megabytes free on it.
 * @param {string} folder @returns {{device: number, free: number}}
 */
function disk(folder) {
  let existing = path.resolve(folder);
  while (!existsSync(existing)) existing = path.dirname(existing);
  try {
    const { bavail, bsize } = statfsSync(existing);
    return { device: statSync(existing).dev, free: Math.floor((bavail * bsize) / 1e6) };
  } catch {
    return { device: 0, free: Infinity };
  }
}

/** The npm that started us, else the one beside this Node, else the first on the PATH. */
function npmCommand() {
  const beside = path.dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath ?? '',
    path.join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    path.join(beside, 'node_modules/npm/bin/npm-cli.js'),
  ];
  const found = candidates.find((file) => path.basename(file) === 'npm-cli.js' && existsSync(file));
  if (found !== undefined) return { program: process.execPath, args: [found], shell: false };
  return { program: 'npm', args: [], shell: process.platform === 'win32' };
}

const UNREACHABLE =
  /^(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO|ENOTCACHED|ERR_SOCKET_TIMEOUT|FETCH_ERROR|E40[1347]|E5\d\d|ETARGET)$/;
const UNTRUSTED = /CERT|ISSUER|ERR_TLS/;

/**
 * Says in one or two sentences what to do about a failed `npm ci`.
 * @param {string} output everything npm printed
 * @param {string} root
 */
export function explainNpm(output, root) {
  const code = codeOf(output);
  const own = `\n\nnpm says:\n${gist(output)}`;
  if (code === 'ENOSPC' || /\bENOSPC\b|no space left on device/.test(output)) {
    const full = fullDisks(root);
    if (full.length > 0) return diskFull(full) + own;
    return `The disk is full: free some space where npm was writing, and try again.${own}`;
  }
  if (UNTRUSTED.test(code)) {
    return (
      `npm does not trust the certificate of the registry (${code}): a proxy that signs connections itself?\n` +
      'Tell npm its certificate (npm config set cafile <file>), and Node (NODE_EXTRA_CA_CERTS=<file>).' +
      own
    );
  }
  if (UNREACHABLE.test(code)) {
    return (
      `npm cannot reach the npm registry, or does not get a package from it (${code}).\n` +
      'Check the network and the proxy (HTTPS_PROXY), then: npm config get registry; npm ping' +
      own
    );
  }
  switch (code) {
    case 'EINTEGRITY':
      return (
        'A downloaded package is not the one that package-lock.json names: a damaged cache, or a registry that changes packages.\n' +
        'Run npm cache clean --force and try again; when it repeats, do not trust that registry.' +
        own
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return (
        `npm may not write where it has to (${code}): the folder ${root}, or npm's cache (npm config get cache).\n` +
        'Make both yours, for instance after an earlier run as root: sudo chown -R "$(id -un)" <folder>' +
        own
      );
    case 'ENOTEMPTY':
    case 'EBUSY':
      return (
        'node_modules is in use: end the programs that run from it (a watcher, an editor, another npm),\n' +
        'delete node_modules and try again.' +
        own
      );
    case 'EUSAGE':
      return `package.json and package-lock.json disagree: run npm install, and commit both.${own}`;
    default:
      return `The packages could not be installed (npm ci failed).${own}`;
  }
}

/** @param {string} output such as `ENOSPC`, or an empty string */
function codeOf(output) {
  return /npm (?:error|ERR!) code (\S+)/.exec(output)?.[1] ?? '';
}

/** The first lines of npm's complaint, without stacks and help texts, and where its log lies. */
function gist(output) {
  const lines = output
    .split('\n')
    .filter((line) => !line.startsWith('npm warn'))
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim());
  const end = lines.findIndex((line) => line.startsWith('Clean install a project'));
  const telling = (end === -1 ? lines : lines.slice(0, end)).filter(
    (line) => /\w/.test(line) && !/^at |^\w+: '?[\w/.-]+'?,?$|complete log of this run/.test(line),
  );
  const log = lines.find((line) => line.includes('complete log of this run'));
  const shown = [...telling.slice(0, 8), ...(log === undefined ? [] : [log])];
  return shown.length === 0 ? '  (nothing)' : shown.map((line) => `  ${line}`).join('\n');
}
