import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Config, ConfigError, loadConfig } from '../platform/config.js';
import { dataHomeOf, openDatabase } from '../platform/database/schema/open-database.js';
import { exitFatally } from '../platform/fatal.js';
import { VERSION } from '../platform/version.js';
import { checkDatabase } from './doctor/database-checks.js';
import { attempt, bad, type Finding, good } from './doctor/finding.js';
import { checkKeys } from './doctor/key-checks.js';
import { checkMachine } from './doctor/machine-checks.js';

const USAGE = `Usage: node dist/cli/doctor.js [--json]
       npm run doctor -- [--json]

Checks what the service needs, with the environment that it would have here: configuration, database,
migrations, rights, clock, keys, workers, versions, memory and disk. Changes nothing. Says what to do
about what it finds; exits with 1 if anything keeps the service from its work, with 0 otherwise.

  --json   for machines: one document with all findings
`;

const MARK = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

/** `npm run doctor`: what is wrong here, and what to do about it. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const findings = await examine();
  const isWell = findings.every(({ level }) => level !== 'fail');
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ version: VERSION, ok: isWell, findings }, null, 2)}\n`
      : textOf(findings),
  );
  process.exitCode = isWell ? 0 : 1;
}

async function examine(): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    const faults = error.message.split('\n').slice(1);
    return faults.map((fault) =>
      bad(
        'configuration',
        'fail',
        fault.trim(),
        'Correct this variable: .env.example has them all.',
      ),
    );
  }
  const dataHome = dataHomeOf(config);
  return [
    good('configuration', `${config.NODE_ENV}, role ${config.ROLE}`),
    ...(await database(config, dataHome)),
    ...(await checkKeys(config)),
    ...(await checkMachine(config, dataHome)),
  ];
}

async function database(config: Config, dataHome: string): Promise<readonly Finding[]> {
  if (config.DATABASE_URL === undefined && !existsSync(dataHome)) {
    const advice = 'The first start makes one: npm start. Or set DATABASE_URL.';
    return [bad('database', 'warn', 'there is no embedded database yet', advice)];
  }
  return attempt('database', 'Correct what the message says.', async () => {
    const opened = await openDatabase({ ...config, MIGRATE: false }, dataHome, () => undefined);
    try {
      return await checkDatabase(config, opened);
    } finally {
      await opened.close();
    }
  });
}

function textOf(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, level, found, advice }) => {
    const line = `${MARK[level]}  ${check.padEnd(width)}  ${found}`;
    return advice === null ? line : `${line}\n${' '.repeat(width + 8)}${advice}`;
  });
  const counts = { warn: 0, fail: 0 };
  findings.forEach(({ level }) => {
    if (level !== 'ok') {
      counts[level] += 1;
    }
  });
  return `${lines.join('\n')}\n\n${counts.fail} failed, ${counts.warn} to look at, of ${findings.length} checks.\n`;
}

main().catch(exitFatally);
