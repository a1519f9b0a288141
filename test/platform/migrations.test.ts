import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyMigrations, MigrationError } from '../../src/platform/database/schema/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const FUNCTION = `
  CREATE TABLE samples (id int PRIMARY KEY, grade int);
  CREATE FUNCTION double(x int) RETURNS int LANGUAGE plpgsql AS $$
  BEGIN
    RETURN x * 2; -- semicolons inside a body
  END $$;
`;

describe('migrations', () => {
  let database: TestDatabase;
  let client: Client;
  let directory: string;
  let lines: string[];

  beforeEach(async () => {
    database = await createTestDatabase('empty');
    client = new Client(database.url);
    await client.connect();
    directory = mkdtempSync(join(tmpdir(), 'headframe-migrations-'));
    lines = [];
  });

  afterEach(async () => {
    await client.end();
    await database.drop();
    rmSync(directory, { recursive: true });
  });

  function write(name: string, sql: string): void {
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name, 'migration.sql'), sql);
  }

  const migrate = () =>
    applyMigrations({
      connectionString: database.url,
      directory,
      log: (line) => void lines.push(line),
    });

  const recorded = async () =>
    (
      await client.query(
        `SELECT migration_name AS name, finished_at IS NOT NULL AS finished, applied_steps_count AS steps,
                rolled_back_at IS NOT NULL AS rolled_back, logs, length(checksum) AS checksum
           FROM _prisma_migrations ORDER BY started_at`,
      )
    ).rows;

  it('are applied in the order of their names, and once', async () => {
    write('20260102000000_grade', 'INSERT INTO samples VALUES (1, double(21));');
    write('20260101000000_samples', FUNCTION);

    expect((await migrate()).applied).toEqual(['20260101000000_samples', '20260102000000_grade']);
    expect((await migrate()).applied).toEqual([]);

    expect((await client.query('SELECT * FROM samples')).rows).toEqual([{ id: 1, grade: 42 }]);
    const row = { finished: true, steps: 1, rolled_back: false, logs: null, checksum: 64 };
    expect(await recorded()).toEqual([
      { name: '20260101000000_samples', ...row },
      { name: '20260102000000_grade', ...row },
    ]);
  });

  it('are applied by exactly one of four that start at once', async () => {
    write('20260101000000_samples', `${FUNCTION} SELECT pg_sleep(0.3);`);

    const results = await Promise.all([migrate(), migrate(), migrate(), migrate()]);

    expect(results.flatMap(({ applied }) => applied)).toEqual(['20260101000000_samples']);
    expect(await recorded()).toHaveLength(1);
  });

  it('that fail leave their SQLSTATE and no tables, and stop the next start until marked', async () => {
    write('20260101000000_bad', `${FUNCTION}\nINSERT INTO samples VALUES (1, 1), (1, 2);`);

    await expect(migrate()).rejects.toThrow(/20260101000000_bad failed: SQLSTATE 23505/);
    expect((await recorded())[0]).toMatchObject({
      finished: false,
      steps: 0,
      logs: expect.stringMatching(/^SQLSTATE 23505: .*samples_pkey.*\nKey \(id\)=\(1\)/s),
    });
    expect((await client.query(`SELECT to_regclass('samples') AS t`)).rows).toEqual([{ t: null }]);

    const refusal = await migrate().catch((error: unknown) => error as Error);
    expect(refusal).toBeInstanceOf(MigrationError);
    const [, cure] = /with:\n\s+(UPDATE .*;)/.exec((refusal as Error).message) ?? [];
    expect((refusal as Error).message).toContain(
      '20260101000000_bad failed earlier (SQLSTATE 23505',
    );

    await client.query(cure ?? '');
    write('20260101000000_bad', FUNCTION);
    expect((await migrate()).applied).toEqual(['20260101000000_bad']);
    expect(await recorded()).toMatchObject([
      { finished: false, rolled_back: true },
      { finished: true, rolled_back: false },
    ]);
  });

  it('name the line of a syntax error', async () => {
    write('20260101000000_typo', 'SELECT 1;\n\nSELEKT 2;');
    await expect(migrate()).rejects.toThrow(/SQLSTATE 42601: .*SELEKT.* \(line 3\)/);
  });

  it('whose process is killed half-way never happened', async () => {
    write('20260101000000_slow', `${FUNCTION} SELECT pg_sleep(30);`);
    const killed = migrate().catch((error: unknown) => error);
    await expect
      .poll(async () => {
        const { rowCount } = await client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()`,
        );
        return rowCount;
      })
      .toBe(1);
    expect(await killed).toBeInstanceOf(MigrationError);

    write('20260101000000_slow', FUNCTION);
    expect((await migrate()).applied).toEqual(['20260101000000_slow']);
  });

  it('that were edited after they had been applied are refused, other line ends are not', async () => {
    write('20260101000000_samples', FUNCTION);
    await migrate();

    write('20260101000000_samples', FUNCTION.replaceAll('\n', '\r\n'));
    expect((await migrate()).applied).toEqual([]);

    write('20260101000000_samples', `${FUNCTION} `);
    await expect(migrate()).rejects.toThrow(/20260101000000_samples was edited after/);
  });

  it('that only the database knows are told, not refused', async () => {
    write('20260101000000_samples', FUNCTION);
    write('20260102000000_newer', 'SELECT 1;');
    await migrate();

    rmSync(join(directory, '20260102000000_newer'), { recursive: true });
    expect((await migrate()).applied).toEqual([]);
    expect(lines.at(-1)).toContain('newer than this build: it also has 20260102000000_newer');
  });

  it('may ask to run outside a transaction', async () => {
    write('20260101000000_samples', FUNCTION);
    write(
      '20260102000000_index',
      '-- no transaction\nCREATE INDEX CONCURRENTLY samples_grade ON samples (grade);',
    );
    expect((await migrate()).applied).toHaveLength(2);
    expect(await recorded()).toMatchObject([{ finished: true }, { finished: true }]);
  });

  it('need no right to create anything when there is nothing to do', async () => {
    write('20260101000000_samples', FUNCTION);
    await migrate();
    const role = `reader_${process.pid}`;
    await client.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT ON _prisma_migrations TO ${role}`,
    );
    const url = new URL(database.url);
    Object.assign(url, { username: role, password: 'x' });

    const asReader = applyMigrations({ connectionString: url.href, directory, log: () => {} });
    expect(
      (await asReader.finally(() => client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)))
        .applied,
    ).toEqual([]);
  });

  it('wait for a database that does not answer, then say so', async () => {
    write('20260101000000_samples', FUNCTION);
    const nowhere = applyMigrations({
      connectionString: 'postgresql://nobody@127.0.0.1:1/none',
      directory,
      connectPatienceMs: 300,
      log: (line) => void lines.push(line),
    });
    await expect(nowhere).rejects.toThrow(/Cannot connect .*ECONNREFUSED.* Check DATABASE_URL/);
    expect(lines).toEqual([expect.stringMatching(/^Waiting for the database: .*ECONNREFUSED/)]);
  });

  it('are missed when the folder is empty', async () => {
    await expect(migrate()).rejects.toThrow(/no migrations in/);
  });
});
