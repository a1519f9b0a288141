import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the migration tool', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'headframe-schema-'));
    cpSync(join(root, 'prisma'), folder, { recursive: true });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...parameters: string[]) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      const script = join(root, 'scripts', 'migration.mjs');
      execFile(process.execPath, [script, ...parameters], (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
      );
    });

  it('finds that schema.prisma and the migrations of this project agree', async () => {
    expect(await run('--check')).toEqual({ code: 0, output: '' });
  });

  it('shows a difference, writes it as a migration, and is then content', async () => {
    const schema = join(folder, 'schema.prisma');
    writeFileSync(
      schema,
      `${readFileSync(schema, 'utf8')}
      model Core {
        id    Int  @id
        depth Int?
        @@index([depth], map: "cores_measured", where: raw("depth IS NOT NULL"))
        @@map("cores")
      }`,
    );
    const before = readdirSync(join(folder, 'migrations'));

    const here = ['--prisma-dir', folder, '--server', inject('databaseServer')];

    const check = await run('--check', ...here);
    expect(check.code).toBe(1);
    expect(check.output).toContain('CREATE TABLE "cores"');

    expect((await run('add_cores', ...here)).code).toBe(0);
    const [made] = readdirSync(join(folder, 'migrations')).filter((name) => !before.includes(name));
    expect(made).toMatch(/^\d{14}_add_cores$/);
    const sql = readFileSync(join(folder, 'migrations', made!, 'migration.sql'), 'utf8');
    expect(sql).toContain(
      'CREATE INDEX "cores_measured" ON "cores"("depth") WHERE (depth IS NOT NULL)',
    );

    expect((await run('--check', ...here)).code).toBe(0);
    expect(await shadowDatabases(inject('databaseServer'))).toBe(0);
  });

  it.each(['', 'Add Cores', '../cores', 'add__cores'])('refuses the name "%s"', async (name) => {
    const { code, output } = await run(name, '--prisma-dir', folder);
    expect(code).toBe(2);
    expect(output).toMatch(/^Usage: npm run migration -- <name>/);
  });
});

async function shadowDatabases(server: string): Promise<number> {
  const client = new Client(server);
  await client.connect();
  const { rowCount } = await client.query(`SELECT 1 FROM pg_database WHERE datname LIKE 'shadow%'`);
  await client.end();
  return rowCount ?? 0;
}
