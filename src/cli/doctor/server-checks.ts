import pg from 'pg';
import { attempt, bad, type Finding, good } from './finding.js';

const LEAST_VERSION = 15;
const CONNECT_MS = 5_000;
/** Tokens and times that clients give are judged with a tolerance of minutes; all else by the database. */
const ODD_CLOCK_MS = 1_000;
const WRONG_CLOCK_MS = 60_000;
const MANY_CONNECTIONS = 0.8;
const OLD_TRANSACTION_SECONDS = 3_600;

interface ServerRow {
  readonly version: number;
  readonly name: string;
  readonly standby: boolean;
  readonly now: number;
  readonly used: number;
  readonly most: number;
  readonly fsync: string;
  readonly oldest: number | null;
  readonly size: string;
}

/** What can be asked of any PostgreSQL, migrated or not. */
export function checkServer(url: string): Promise<readonly Finding[]> {
  const advice =
    'Check DATABASE_URL, that the server runs, and that it takes connections from here (pg_hba.conf, firewall).';
  return attempt('database', advice, async () => {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'headframe: doctor',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: CONNECT_MS,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      // The first answer pays for what a new connection has to look up.
      await client.query('SELECT 1');
      const asked = Date.now();
      const { rows } = await client.query<ServerRow>(`
        SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS name,
          pg_is_in_recovery() AS standby, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
          (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
          current_setting('max_connections')::int AS most, current_setting('fsync') AS fsync,
          (SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8 FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS oldest,
          pg_size_pretty(pg_database_size(current_database())) AS size`);
      const answered = Date.now();
      const row = rows[0] as ServerRow;
      return [
        serverFinding(row, answered - asked),
        clockFinding(row.now - (asked + answered) / 2, (answered - asked) / 2),
        connectionsFinding(row),
        ...transactionFindings(row),
      ];
    } finally {
      await client.end().catch(() => undefined);
    }
  });
}

function serverFinding({ version, name, standby, fsync, size }: ServerRow, ms: number): Finding {
  const found = `PostgreSQL ${name}, answers in ${ms} ms, ${size}`;
  if (version < LEAST_VERSION * 10_000) {
    return bad(
      'database',
      'fail',
      found,
      `Upgrade the server to PostgreSQL ${LEAST_VERSION} or later.`,
    );
  }
  if (standby) {
    return bad(
      'database',
      'fail',
      `${found}, a standby`,
      'It can only be read: let DATABASE_URL lead to the primary.',
    );
  }
  return fsync === 'off'
    ? bad(
        'database',
        'warn',
        `${found}, fsync off`,
        'A crash of its machine may lose everything: turn fsync on.',
      )
    : good('database', found);
}

/** @param difference how far the database's clock is ahead, in milliseconds, give or take `error` */
function clockFinding(difference: number, error: number): Finding {
  const off = Math.abs(difference);
  const found = `${Math.round(off)} ms ${difference > 0 ? 'behind' : 'ahead of'} the database's, ± ${Math.ceil(error)} ms`;
  if (off - error <= ODD_CLOCK_MS) {
    return good('clock', found);
  }
  return bad(
    'clock',
    off - error > WRONG_CLOCK_MS ? 'fail' : 'warn',
    found,
    'Tokens are judged by this machine, leases and times of jobs by the database: keep both by NTP.',
  );
}

function connectionsFinding({ used, most }: ServerRow): Finding {
  const found = `${used} of ${most} are in use`;
  return used < most * MANY_CONNECTIONS
    ? good('connections', found)
    : bad(
        'connections',
        'warn',
        found,
        'Each replica wants DATABASE_POOL_SIZE + 1: raise max_connections, or lower DATABASE_POOL_SIZE.',
      );
}

function transactionFindings({ oldest }: ServerRow): readonly Finding[] {
  return oldest === null || oldest < OLD_TRANSACTION_SECONDS
    ? []
    : [
        bad(
          'transactions',
          'warn',
          `one has been open for ${Math.round(oldest / 60)} minutes`,
          'Meanwhile vacuum cannot clean up behind the queue, and claims slow down: find it in pg_stat_activity (xact_start), and end it.',
        ),
      ];
}
