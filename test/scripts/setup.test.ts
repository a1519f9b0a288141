import { execFile } from 'node:child_process';
import {
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeProblem } from '../../scripts/node-version.mjs';
import { withoutOuterNpm } from '../../scripts/setup/command.mjs';
import { explainNpm } from '../../scripts/setup/install.mjs';

const SCRIPTS = fileURLToPath(new URL('../../scripts', import.meta.url));

/** Programs that stand where generators and compilers stand: each notes that it ran. */
const GENERATOR = `
const fs = require('fs');
exports.loadSchemaContext = async () => ({});
exports.getGenerators = async () => [{ generate, stop() {} }];
async function generate() {
  fs.appendFileSync('ran.log', 'generate\\n');
  fs.mkdirSync('src/generated/prisma', { recursive: true });
  fs.copyFileSync('prisma/schema.prisma', 'src/generated/prisma/client.ts');
}
`;
const CONTRACT = `
import { appendFileSync } from 'node:fs';
export default async function types(document) {
  appendFileSync('ran.log', 'contract\\n');
  return document;
}
export const astToString = (types) => JSON.stringify(types);
`;
const PACKAGES = `
const fs = require('fs');
const project = process.argv.at(-1);
fs.appendFileSync('ran.log', project.split('/').at(-1) + '\\n');
fs.mkdirSync(project + '/dist');
for (const file of fs.readdirSync(project + '/src').filter((name) => name.endsWith('.ts'))) {
  fs.copyFileSync(project + '/src/' + file, project + '/dist/' + file.replace('.ts', '.js'));
}
`;
const PAGES = `
const fs = require('fs');
fs.appendFileSync('ran.log', 'pages\\n');
fs.writeFileSync('packages/console/dist/index.html', '');
`;
const COMPILER = `
const fs = require('fs');
const source = fs.readFileSync('src/main.ts', 'utf8');
fs.appendFileSync('ran.log', 'build\\n');
fs.rmSync('dist', { recursive: true, force: true });
if (source.includes('mistake')) {
  console.log('src/main.ts:1:1 - error: there is a mistake');
  process.exit(1);
}
fs.mkdirSync('dist');
fs.writeFileSync('dist/main.js', source);
`;

let home: string;
let ready: string;
let copies = 0;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'headframe-setup-'));
  ready = path.join(home, 'ready');
  await makeProject(ready);
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

describe('a set-up', () => {
  it('installs, generates and builds a fresh clone, tells so on stderr, and leaves stdout alone', async () => {
    const { code, stdout, stderr } = await setUp(ready);
    expect(stderr).toMatch(
      /Packages installed in .*Database client generated in .*types generated in .*API client built in .*Command line built in .*Console built in .*Built in /s,
    );
    expect([code, stdout]).toEqual([0, '']);
    expect(await ran(ready)).toEqual([
      'generate',
      'contract',
      'client',
      'cli',
      'console',
      'pages',
      'build',
    ]);
    expect(await exists(ready, 'node_modules/@prisma/internals/index.js')).toBe(true);
  });

  it('says and does nothing when nothing has changed', async () => {
    const project = await copyOfReady();
    const before = await stat(path.join(project, 'node_modules/.headframe-setup.json'));
    expect(await setUp(project)).toEqual({ code: 0, stdout: '', stderr: '' });
    const after = await stat(path.join(project, 'node_modules/.headframe-setup.json'));
    expect(after.mtimeMs).toBe(before.mtimeMs);
    expect(await ran(project)).toEqual([]);
  });

  it('builds again when a source file has changed, or what was built is gone', async () => {
    const project = await copyOfReady();
    await mkdir(path.join(project, 'src/deep'));
    await writeFile(path.join(project, 'src/deep/new.ts'), 'new');
    await setUp(project);
    expect(await ran(project)).toEqual(['build']);
    await rm(path.join(project, 'dist'), { recursive: true });
    await setUp(project);
    expect(await ran(project)).toEqual(['build', 'build']);
    await setUp(project);
    expect(await ran(project)).toEqual(['build', 'build']);
  });

  it('generates and builds again when the schema has changed', async () => {
    const project = await copyOfReady();
    await writeFile(path.join(project, 'prisma/schema.prisma'), 'model New {}');
    await setUp(project);
    expect(await ran(project)).toEqual(['generate', 'build']);
  });

  it("generates the client's types and builds it again when the contract or its sources have changed", async () => {
    const project = await copyOfReady();
    await writeFile(path.join(project, 'docs/openapi.json'), '{"openapi": "3.1.1"}');
    await setUp(project);
    // What the client is for the service has not changed with it.
    expect(await ran(project)).toEqual(['contract', 'client']);
    await writeFile(
      path.join(project, 'packages/client/dist/stale.js'),
      'of a source that is gone',
    );
    await writeFile(path.join(project, 'packages/client/src/index.ts'), 'better');
    await setUp(project, ['--no-build']);
    expect(await ran(project)).toEqual(['contract', 'client', 'client', 'cli', 'console', 'pages']);
    expect(await readdir(path.join(project, 'packages/client/dist'))).toEqual(['index.js']);
    await setUp(project);
    expect(await ran(project)).toEqual([
      'contract',
      'client',
      'client',
      'cli',
      'console',
      'pages',
      'build',
    ]);
  });

  it('builds the command line again when its sources have changed, and the demo that uses it', async () => {
    const project = await copyOfReady();
    await writeFile(path.join(project, 'packages/cli/src/main.ts'), 'better');
    await setUp(project);
    expect(await ran(project)).toEqual(['cli', 'build']);
  });

  it('says what to do about a contract with conflicts, from which no types can be generated', async () => {
    const project = await copyOfReady();
    await writeFile(path.join(project, 'docs/openapi.json'), '<<<<<<< ours');
    const { code, stderr } = await setUp(project);
    expect(code).toBe(1);
    expect(stderr).toContain('git checkout --ours docs/openapi.json');
    await writeFile(path.join(project, 'docs/openapi.json'), '{}');
    expect((await setUp(project)).code).toBe(0);
  });

  it('installs again when a package of our own is not linked but copied, or is gone', async () => {
    const project = await copyOfReady();
    const linked = path.join(project, 'node_modules/tiny-client');
    await rm(linked);
    expect((await setUp(project)).stderr).toContain('Packages installed');
    expect((await lstat(linked)).isSymbolicLink()).toBe(true);
    const notes = path.join(project, 'node_modules/.package-lock.json');
    const { packages } = JSON.parse(await readFile(notes, 'utf8')) as {
      packages: Record<string, object>;
    };
    packages['node_modules/tiny-client'] = {};
    await writeFile(notes, JSON.stringify({ packages }));
    expect((await setUp(project)).stderr).toContain('Packages installed');
  });

  it('installs again when a package has gone missing', async () => {
    const project = await copyOfReady();
    await rm(path.join(project, 'node_modules/@prisma/internals'), { recursive: true });
    const { code, stderr } = await setUp(project);
    expect(code).toBe(0);
    expect(stderr).toContain('Packages installed');
    expect(await exists(project, 'node_modules/@prisma/internals/index.js')).toBe(true);
  });

  it('shows the errors of the compiler, ends with 1, and tries again the next time', async () => {
    const project = await copyOfReady();
    await writeFile(path.join(project, 'src/main.ts'), 'mistake');
    for (const _ of [1, 2]) {
      const { code, stderr } = await setUp(project);
      expect(code).toBe(1);
      expect(stderr).toContain('The build failed.\n\nsrc/main.ts:1:1 - error: there is a mistake');
    }
    await writeFile(path.join(project, 'src/main.ts'), 'better');
    expect((await setUp(project)).code).toBe(0);
    expect(await readFile(path.join(project, 'dist/main.js'), 'utf8')).toBe('better');
  });

  it('leaves the build to a watcher with --no-build, and does not trust what lies there afterwards', async () => {
    const project = await copyOfReady();
    await setUp(project, ['--no-build']);
    expect(await ran(project)).toEqual([]);
    await setUp(project);
    expect(await ran(project)).toEqual(['build']);
  });

  it('works once when two commands start at the same time', async () => {
    const project = await copyOfReady();
    await writeFile(path.join(project, 'src/main.ts'), 'for both');
    const both = await Promise.all([setUp(project), setUp(project)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await ran(project)).toEqual(['build']);
    expect(await readdir(path.join(project, '.headframe'))).toEqual([]);
  });

  it('takes over from a set-up that died', async () => {
    const project = await copyOfReady();
    await writeFile(path.join(project, 'src/main.ts'), 'after a crash');
    const lock = path.join(project, '.headframe/setup.lock');
    await mkdir(lock, { recursive: true });
    const { pid } = await endedProcess();
    const { hostname } = await import('node:os');
    await writeFile(path.join(lock, 'owner'), JSON.stringify({ pid, host: hostname() }));
    expect((await setUp(project)).code).toBe(0);
    expect(await ran(project)).toEqual(['build']);
  });

  it('says that the registry is out of reach', async () => {
    const project = path.join(home, 'unreachable');
    await makeProject(project, { 'left-pad': '1.3.0' });
    const { code, stderr } = await setUp(project, [], {
      npm_config_offline: '',
      npm_config_registry: 'http://127.0.0.1:9',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('npm cannot reach the npm registry');
    expect(stderr).toContain('npm config get registry; npm ping');
    expect(stderr).toContain('ECONNREFUSED');
  });
});

describe('the check of the Node version', () => {
  it.each([
    ['20.19.0', null],
    ['20.20.2', null],
    ['22.0.0', null],
    ['24.1.0-nightly', null],
    ['20.18.9', 'Node 20.18.9 is too old: this project needs Node 20.19 or newer.'],
    ['14.21.3', 'Node 14.21.3 is too old: this project needs Node 20.19 or newer.'],
    ['9.11.2', 'Node 9.11.2 is too old: this project needs Node 20.19 or newer.'],
  ])('judges %s', (version, firstLine) => {
    expect(nodeProblem(version, '>=20.19')?.split('\n')[0] ?? null).toBe(firstLine);
  });
});

describe('a failed installation', () => {
  it.each([
    ['npm error code ENOSPC\nnpm error nospc no space left', 'The disk is full'],
    ['npm error code EAI_AGAIN', 'npm cannot reach the npm registry'],
    ['npm error code E403\nnpm error 403 Forbidden', 'npm cannot reach the npm registry'],
    ['npm error code SELF_SIGNED_CERT_IN_CHAIN', 'npm does not trust the certificate'],
    ['npm error code EINTEGRITY', 'is not the one that package-lock.json names'],
    ['npm error code EACCES', 'npm may not write where it has to'],
    ['npm error code EUSAGE', 'package.json and package-lock.json disagree'],
    ['npm error code ENOTEMPTY', 'node_modules is in use'],
    ['npm error code EWHATEVER\nnpm error something else', 'something else'],
  ])('is explained: %j', (output, explanation) => {
    expect(explainNpm(output, home)).toContain(explanation);
  });

  it('is not the fault of flags of the outer npm, which the inner one never sees', () => {
    const outer = {
      PATH: '/bin',
      npm_config_registry: 'http://registry',
      npm_config_cache: '/cache',
      'npm_config_//registry/:_authToken': 'secret',
      npm_config_omit: 'dev',
      npm_config_dry_run: 'true',
      npm_config_workspace: 'other',
      npm_lifecycle_event: 'test',
      npm_package_name: 'headframe',
      INIT_CWD: '/elsewhere',
    };
    expect(Object.keys(withoutOuterNpm(outer))).toEqual([
      'PATH',
      'npm_config_registry',
      'npm_config_cache',
      'npm_config_//registry/:_authToken',
    ]);
  });
});

/** A project of the same shape as ours, whose packages all lie beside it: npm needs no registry. */
async function makeProject(project: string, extra: Record<string, string> = {}): Promise<void> {
  const vendored = {
    '@prisma/internals': 'vendor/internals',
    '@prisma/client-generator-ts': 'vendor/generator',
    '@nestjs/cli': 'vendor/nest',
    'openapi-typescript': 'vendor/openapi-typescript',
    typescript: 'vendor/typescript',
    vite: 'vendor/vite',
  };
  const dependencies = {
    ...Object.fromEntries(Object.entries(vendored).map(([name, at]) => [name, `file:${at}`])),
    ...extra,
  };
  const root = { name: 'tiny', version: '1.0.0', workspaces: ['packages/*'], dependencies };
  const packages: Record<string, object> = { '': root };
  for (const [name, at] of Object.entries(vendored)) {
    packages[`node_modules/${name}`] = { resolved: at, link: true };
    packages[at] = { name, version: '1.0.0' };
  }
  packages['node_modules/tiny-client'] = { resolved: 'packages/client', link: true };
  packages['packages/client'] = { name: 'tiny-client', version: '1.0.0' };
  packages['node_modules/tiny-cli'] = { resolved: 'packages/cli', link: true };
  packages['packages/cli'] = { name: 'tiny-cli', version: '1.0.0' };
  packages['node_modules/tiny-console'] = { resolved: 'packages/console', link: true };
  packages['packages/console'] = { name: 'tiny-console', version: '1.0.0' };
  for (const [name, version] of Object.entries(extra)) {
    packages[`node_modules/${name}`] = { version, integrity: `sha512-${'A'.repeat(86)}==` };
  }
  const files: Record<string, string | object> = {
    'package.json': { ...root, type: 'module', engines: { node: '>=20.19' } },
    'package-lock.json': { ...root, lockfileVersion: 3, requires: true, packages },
    'vendor/internals/package.json': { name: '@prisma/internals', version: '1.0.0' },
    'vendor/internals/index.js': GENERATOR,
    'vendor/generator/package.json': { name: '@prisma/client-generator-ts', version: '1.0.0' },
    'vendor/generator/index.js': 'exports.PrismaClientTsGenerator = class {};',
    'vendor/nest/package.json': { name: '@nestjs/cli', version: '1.0.0' },
    'vendor/nest/bin/nest.js': COMPILER,
    'vendor/openapi-typescript/package.json': {
      name: 'openapi-typescript',
      version: '1.0.0',
      exports: './index.mjs',
    },
    'vendor/openapi-typescript/index.mjs': CONTRACT,
    'vendor/typescript/package.json': { name: 'typescript', version: '1.0.0' },
    'vendor/typescript/bin/tsc': PACKAGES,
    'vendor/vite/package.json': { name: 'vite', version: '1.0.0' },
    'vendor/vite/bin/vite.js': PAGES,
    'packages/console/package.json': { name: 'tiny-console', version: '1.0.0' },
    'packages/console/src/main.ts': 'first',
    'packages/client/package.json': { name: 'tiny-client', version: '1.0.0' },
    'packages/client/src/index.ts': 'first',
    'packages/cli/package.json': { name: 'tiny-cli', version: '1.0.0' },
    'packages/cli/src/main.ts': 'first',
    'docs/openapi.json': '{}',
    'prisma/schema.prisma': 'model Old {}',
    'src/main.ts': 'first',
  };
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(project, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
  await cp(path.join(SCRIPTS, 'setup.mjs'), path.join(project, 'scripts/setup.mjs'));
  await cp(path.join(SCRIPTS, 'node-version.mjs'), path.join(project, 'scripts/node-version.mjs'));
  await cp(path.join(SCRIPTS, 'setup'), path.join(project, 'scripts/setup'), { recursive: true });
  await writeFile(path.join(project, 'scripts/setup/console-files.mjs'), '');
}

/** A project that has been set up, with an empty log of what ran. */
async function copyOfReady(): Promise<string> {
  const project = path.join(home, `copy-${(copies += 1)}`);
  await cp(ready, project, { recursive: true, verbatimSymlinks: true });
  await rm(path.join(project, 'ran.log'));
  return project;
}

function setUp(project: string, args: string[] = [], env: Record<string, string> = {}) {
  const options = {
    cwd: home,
    env: {
      ...process.env,
      npm_config_cache: path.join(home, 'cache'),
      npm_config_offline: 'true',
      npm_config_omit: 'dev',
      npm_config_dry_run: 'true',
      ...env,
    },
  };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [path.join(project, 'scripts/setup.mjs'), ...args],
      options,
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

/** Which programs ran in a project, in their order. */
async function ran(project: string): Promise<string[]> {
  try {
    return (await readFile(path.join(project, 'ran.log'), 'utf8')).trim().split('\n');
  } catch {
    return [];
  }
}

async function exists(project: string, file: string): Promise<boolean> {
  return stat(path.join(project, file)).then(
    () => true,
    () => false,
  );
}

/** The id of a process that is certainly gone. */
function endedProcess(): Promise<{ pid: number }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['-e', ''], () => resolve({ pid: child.pid! }));
  });
}
