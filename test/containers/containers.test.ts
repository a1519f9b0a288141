import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CONFIG_SCHEMA } from '../../src/platform/config.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(root + file, 'utf8');
const variables = Object.keys(CONFIG_SCHEMA.shape);

/** The lines of a Dockerfile's instructions, continuation lines joined, by stage. */
function stagesOf(dockerfile: string): Map<string, string[]> {
  const stages = new Map<string, string[]>([['', []]]);
  let current = '';
  const text = dockerfile.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, ' ');
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const stage = / AS (\S+)$/.exec(line)?.[1];
    if (line.startsWith('FROM ')) stages.set((current = stage ?? 'unnamed'), []);
    stages.get(current)?.push(line);
  }
  return stages;
}

/** What is indented below `name:` in a YAML text, without comments. */
function block(yaml: string, name: string): string {
  const lines = yaml.split('\n').filter((line) => !/^\s*#/.test(line));
  const start = lines.findIndex((line) => line.trimStart().startsWith(`${name}:`));
  if (start === -1) throw new Error(`docker-compose.yml has no ${name}.`);
  const depth = indent(lines[start]!);
  const length = lines.slice(start + 1).findIndex((line) => line !== '' && indent(line) <= depth);
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n');
}
const indent = (line: string): number => line.length - line.trimStart().length;

const keysOf = (yaml: string): string[] =>
  [...yaml.matchAll(/^\s+([A-Z][A-Z_]+):/gm)].map(([, key]) => key!);

describe('the image', () => {
  const stages = stagesOf(read('Dockerfile'));
  const runtime = stages.get('runtime')!;
  const all = [...stages.values()].flat();
  const instructions = (name: string, lines = runtime): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

  it('ends in the runtime stage, which nothing is built in', () => {
    expect([...stages.keys()].at(-1)).toBe('runtime');
    expect(instructions('RUN').join('\n')).not.toMatch(/npm (ci|install)|apt-get|curl|wget/);
  });

  it('does not run as root, and by a number that Kubernetes can check', () => {
    expect(instructions('USER')).toEqual(['1000:1000']);
  });

  it('owns nothing that it could write to', () => {
    expect(instructions('COPY').join('\n')).not.toContain('--chown');
  });

  it('stops with SIGTERM, which its first process passes on', () => {
    expect(instructions('ENTRYPOINT')).toEqual(['["/bin/sh", "/app/entrypoint.sh"]']);
    expect(instructions('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(instructions('CMD')).toEqual(['["node", "--enable-source-maps", "dist/main.js"]']);
  });

  it('says whether it is alive, without tools that it does not have', () => {
    const [check] = instructions('HEALTHCHECK');
    expect(check).toMatch(/CMD \["node", .*\/health\/live/);
  });

  it('runs the Node that the project is made for, in a version that does not move', () => {
    const image = all.find((line) => line.startsWith('ARG NODE_IMAGE='))!.split('=')[1]!;
    expect(image).toMatch(/^node:20\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/);
    expect(read('docker-compose.yml')).toContain(`\${NODE_IMAGE:-${image}}`);
    expect(all.filter((line) => line.startsWith('FROM '))).toEqual(
      expect.arrayContaining(['FROM ${NODE_IMAGE} AS packages', 'FROM ${NODE_IMAGE} AS runtime']),
    );
  });

  it('sets only variables that the service reads', () => {
    const names = instructions('ENV').flatMap((line) =>
      [...line.matchAll(/(\w+)=/g)].map(([, name]) => name!),
    );
    expect(names).toEqual(['NODE_ENV', 'HOST', 'PORT']);
    expect(variables).toEqual(expect.arrayContaining(names));
  });

  it('copies what exists, and what .dockerignore lets through', () => {
    const fromContext = instructions('COPY', all)
      .filter((line) => !line.startsWith('--from'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(fromContext.filter((path) => !existsSync(root + path))).toEqual([]);
    expect(fromContext.toSorted()).toEqual(allowed.toSorted());
  });

  it('holds no development packages, and of our own the command line, as one file, and the built console', async () => {
    const installs = stages.get('dependencies')!.find((line) => line.includes('npm ci'))!;
    expect(installs).toMatch(/npm ci --omit=dev --omit=optional --workspaces=false /);
    const copied = instructions('COPY').filter((line) => line.includes('packages/'));
    const consoleFiles = '--from=build /app/packages/console/dist packages/console/dist';
    expect(copied).toContain(consoleFiles);
    const cli = copied.filter((line) => line !== consoleFiles);
    expect(cli).toEqual([
      '--from=build /app/packages/cli/package.json cli/package.json',
      '--from=build /app/packages/cli/bin cli/bin',
      '--from=build /app/packages/cli/bundle cli/dist',
    ]);
    const run = promisify(execFile);
    await run(process.execPath, ['scripts/setup/command-line.mjs'], { cwd: root });
    // Where there are no packages for it.
    const alone = mkdtempSync(join(tmpdir(), 'headframe-image-'));
    try {
      for (const line of cli) {
        const [, from = '', to = ''] = /=build \/app\/(\S+) (\S+)/.exec(line) ?? [];
        cpSync(root + from, join(alone, to), { recursive: true });
      }
      const { stdout } = await run(process.execPath, ['cli/bin/headframe.js', 'run', '--help'], {
        cwd: alone,
      });
      expect(stdout).toContain('headframe run diagnostics/sleep');
    } finally {
      rmSync(alone, { recursive: true });
    }
  });

  it('runs programs that the sources have', () => {
    const text = all.join('\n') + read('docker-compose.yml');
    const programs = [...text.matchAll(/dist\/([\w/-]+)\.js/g)].map(([, name]) => name!);
    expect(programs).toEqual(expect.arrayContaining(['main', 'app', 'cli/migrate', 'cli/token']));
    expect(programs.filter((name) => !existsSync(`${root}src/${name}.ts`))).toEqual([]);
  });

  it("keeps the files of Prisma's runtime that the generated client imports, and no others", () => {
    const generated =
      read('src/generated/prisma/client.ts') + read('src/generated/prisma/internal/class.ts');
    const imported = [...generated.matchAll(/"(@prisma\/client\/runtime\/[\w.-]+)"/g)].map(
      ([, module]) =>
        fileURLToPath(import.meta.resolve(module!))
          .split('/')
          .at(-1)!,
    );
    const prune = all.find((line) => line.includes('find node_modules/@prisma/client/runtime'))!;
    const kept = [...prune.matchAll(/! -name '([^']+)'/g)].map(
      ([, glob]) => new RegExp(`^${glob!.replaceAll('.', String.raw`\.`).replaceAll('*', '.*')}$`),
    );
    expect(imported).toContain('client.js');
    expect(imported.filter((file) => !kept.some((glob) => glob.test(file)))).toEqual([]);
    expect(kept.filter((glob) => !imported.some((file) => glob.test(file)))).toEqual([]);
  });
});

describe('the compose file', () => {
  const compose = read('docker-compose.yml');
  const common = block(compose, 'x-service');
  const environment = block(compose, 'x-environment');
  const services = block(compose, 'services');
  const ours = ['migrate', 'api', 'worker'];

  it.each(ours)('%s has no privileges, and a file system that it cannot write to', (name) => {
    expect(block(services, name)).toContain('<<: *service');
    expect(block(services, name)).not.toMatch(/read_only|cap_|security_opt|privileged|user:/);
    expect(common).toMatch(/^ {2}read_only: true$/m);
    expect(common).toMatch(/^ {2}cap_drop: \[ALL\]$/m);
    expect(common).toContain('no-new-privileges:true');
    expect(common).toMatch(/- \/tmp:size=/);
    // It would show the secrets of its environment to the commands of tasks.
    expect(compose).not.toMatch(/^ *init:/m);
  });

  it.each([...ours, 'database', 'proxy'])('%s has a limit of memory, and of processes', (name) => {
    expect(block(services, name)).toMatch(/mem_limit: \S+/);
    expect(block(services, name)).toMatch(/pids_limit: \d+/);
  });

  it.each(ours)('%s is given only variables that the service reads', (name) => {
    const own = block(block(services, name), 'environment');
    expect(own).toContain(name === 'api' ? '<<: [*environment, *tokens]' : '<<: *environment');
    const given = [...keysOf(environment), ...keysOf(own)];
    expect(given.filter((key) => !variables.includes(key))).toEqual([]);
    expect(given).toEqual(expect.arrayContaining(['NODE_ENV', 'DATABASE_URL']));
    expect(given.filter((key) => key.startsWith('AUTH_'))).toEqual([]);
  });

  it('has the database run without privileges, and not as root', () => {
    const database = block(services, 'database');
    expect(database).toMatch(/^ {4}user: postgres$/m);
    expect(database).toMatch(/^ {4}cap_drop: \[ALL\]$/m);
    expect(database).toContain('no-new-privileges:true');
  });

  it('holds no secret, and refuses to start without one', () => {
    expect(compose.match(/\$\{POSTGRES_PASSWORD\b(?!:\?Set )/g)).toBeNull();
    expect(block(compose, 'x-tokens')).toMatch(/AUTH_JWT_SECRET: \$\{AUTH_JWT_SECRET\?Set /);
  });

  it('migrates after the database is there, and before anything else starts', () => {
    expect(block(services, 'migrate')).toMatch(/command: .*dist\/cli\/migrate\.js/);
    expect(block(services, 'migrate')).toContain('database: {condition: service_healthy}');
    for (const name of ['api', 'worker']) {
      expect(block(services, name)).toContain(
        'migrate: {condition: service_completed_successfully}',
      );
    }
    expect(environment).toContain("MIGRATE: 'false'");
  });

  it('publishes the proxy to this machine alone, and nothing of what can be scaled', () => {
    expect(block(services, 'proxy')).toContain('${PUBLISH:-127.0.0.1:3000}:8080');
    for (const name of ['api', 'worker', 'database']) {
      expect(block(services, name)).not.toMatch(/ports:|container_name:/);
    }
  });

  it('gives a stopping worker more time than it takes to hand its jobs back', () => {
    const grace = Number(/stop_grace_period: (\d+)s/.exec(common)?.[1]);
    const drain = Number(/SHUTDOWN_SECONDS: (\d+)/.exec(environment)?.[1]);
    expect(grace).toBeGreaterThan(drain);
  });

  it('gives a worker more memory than all of its slots may take', () => {
    const worker = block(services, 'worker');
    const slots = Number(/WORKER_SLOTS:-(\d+)/.exec(worker)?.[1]);
    const each = Number(/WORKER_MEMORY_MB:-(\d+)/.exec(worker)?.[1]);
    const limit = Number(/WORKER_MEM_LIMIT:-(\d+)g/.exec(worker)?.[1]) * 1024;
    expect(limit).toBeGreaterThan(slots * each + 512);
  });

  it('names no image without its digest, but the one that is built from here', () => {
    const images = [...compose.matchAll(/^ *image: (.*)$/gm)].map(([, image]) => image as string);
    const built = images.filter((image) => image.includes('headframe'));
    expect(built).toHaveLength(1);
    for (const image of images.filter((each) => !built.includes(each))) {
      expect(image).toMatch(/^\$\{[A-Z]+_IMAGE:-[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}\}$/);
    }
  });

  it('keeps the database where images of PostgreSQL 18 keep it', () => {
    expect(block(services, 'database')).toContain('postgres:18');
    expect(block(services, 'database')).toMatch(/- database:\/var\/lib\/postgresql$/m);
  });
});
