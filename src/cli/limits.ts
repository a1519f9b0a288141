import { hostname, userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { PATH_SEGMENT } from '../jobs/job/job-address.js';
import { LimitsStore, type OrganizationLimits } from '../jobs/limits/limits.store.js';
import { ConfigError, loadConfig } from '../platform/config.js';
import { Database } from '../platform/database/database.js';
import { dataHomeOf, openDatabase } from '../platform/database/schema/open-database.js';
import { exitFatally } from '../platform/fatal.js';
import { NIL_UUID, UUID_ANY_CASE } from '../platform/ids/uuid.js';

const USAGE = `Usage: node dist/cli/limits.js                                   shows all limits
       node dist/cli/limits.js --org <uuid|default> [--weight <n>] [--max-running <n|none>] [--max-unstarted <n|none>]
           [--submits-per-minute <n|none|default>] [--polls-per-minute <n|none|default>] [--requests-per-minute <n|none|default>]
                                  [--max-stored-bytes <n|none>] [--retention-days <n|forever|default>]
       node dist/cli/limits.js --org <uuid|default> --remove
       node dist/cli/limits.js --task <topic/task> --max-running <n|none>
       npm run limits -- …

  --org                  an organization; "default" for all that have no limits of their own
  --weight               its share of the starts while organizations compete, 1 to 1000; 1 without limits
  --max-running          how many of its jobs, or of the task's over all organizations, may run at once
  --max-unstarted        how many of its jobs may wait; more are refused with 429
  --max-stored-bytes     how many bytes its parameters, results and logs may have; more submits are refused with 429
  --retention-days       how long its ended jobs are kept; default: RETENTION_DAYS of the service
  --submits-per-minute   how many jobs it may submit, and as many it may cancel; "none" for any,
                         "default" for what RATE_LIMIT_SUBMITS says. More are refused with 429
  --polls-per-minute     how many statuses, results, details and logs of jobs it may ask for
  --requests-per-minute  all its other requests
  --remove               back to the default limits

Running jobs go on; the next claim and, within a second, the next submit heed a change;
requests a minute, within ten seconds. Shorter retention deletes within minutes what is older.
`;

const MOST = 2 ** 31 - 1;
const MAX_PER_MINUTE = 10_000_000;
const MAX_DAYS = 36_500;

/** `npm run limits`: shows or changes what organizations and tasks may use. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      org: { type: 'string' },
      task: { type: 'string' },
      weight: { type: 'string' },
      'max-running': { type: 'string' },
      'max-unstarted': { type: 'string' },
      'submits-per-minute': { type: 'string' },
      'polls-per-minute': { type: 'string' },
      'requests-per-minute': { type: 'string' },
      'max-stored-bytes': { type: 'string' },
      'retention-days': { type: 'string' },
      remove: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const change = changeOf(values);
  const config = loadConfig();
  const opened = await openDatabase(config, dataHomeOf(config), () => undefined);
  const database = new Database({
    url: opened.ownerUrl,
    requestRole: 'headframe_operator',
    poolSize: 2,
  });
  try {
    const limits = new LimitsStore(database, operator());
    await change(limits);
    await show(limits);
  } finally {
    await database.onApplicationShutdown();
    await opened.close();
  }
}

/** Who runs this, for the audit log. */
function operator(): string {
  try {
    return `operator ${userInfo().username}@${hostname()}`;
  } catch {
    // A container's user need not have a name.
    return `operator ${process.getuid?.() ?? ''}@${hostname()}`;
  }
}

/** What the arguments ask for. @throws ConfigError when they make no sense */
function changeOf(values: {
  readonly org?: string;
  readonly task?: string;
  readonly weight?: string;
  readonly 'max-running'?: string;
  readonly 'max-unstarted'?: string;
  readonly 'submits-per-minute'?: string;
  readonly 'polls-per-minute'?: string;
  readonly 'requests-per-minute'?: string;
  readonly 'max-stored-bytes'?: string;
  readonly 'retention-days'?: string;
  readonly remove: boolean;
}): (limits: LimitsStore) => Promise<void> {
  const wanted: Partial<OrganizationLimits> = {
    ...(values.weight !== undefined && { weight: wholeNumber('--weight', values.weight, 1, 1000) }),
    ...(values['max-running'] !== undefined && {
      maxRunning: numberOrNone('--max-running', values['max-running']),
    }),
    ...(values['max-unstarted'] !== undefined && {
      maxUnstarted: numberOrNone('--max-unstarted', values['max-unstarted']),
    }),
    ...rate('submitsPerMinute', '--submits-per-minute', values['submits-per-minute']),
    ...rate('pollsPerMinute', '--polls-per-minute', values['polls-per-minute']),
    ...rate('requestsPerMinute', '--requests-per-minute', values['requests-per-minute']),
    ...(values['max-stored-bytes'] !== undefined && {
      maxStoredBytes: numberOrNone(
        '--max-stored-bytes',
        values['max-stored-bytes'],
        Number.MAX_SAFE_INTEGER,
      ),
    }),
    ...(values['retention-days'] !== undefined && {
      retentionDays: days(values['retention-days']),
    }),
  };
  const { org, task, remove } = values;
  const asksNothing = Object.keys(wanted).length === 0 && !remove;
  if (org === undefined && task === undefined && asksNothing) {
    return () => Promise.resolve();
  }
  if (org !== undefined && task === undefined && !asksNothing) {
    const orgId = organization(org);
    return remove
      ? (limits) => limits.removeOrganization(orgId)
      : (limits) => limits.setOrganization(orgId, wanted);
  }
  if (task !== undefined && org === undefined && wanted.maxRunning !== undefined) {
    const [topic = '', name = '', ...more] = task.split('/');
    if (!PATH_SEGMENT.test(topic) || !PATH_SEGMENT.test(name) || more.length > 0) {
      throw new ConfigError(`--task must be like geostatistics/kriging.\n\n${USAGE}`);
    }
    return (limits) => limits.setTask(topic, name, wanted.maxRunning ?? null);
  }
  throw new ConfigError(`Say whose limits, and which.\n\n${USAGE}`);
}

function organization(text: string): string {
  if (text === 'default') {
    return NIL_UUID;
  }
  if (!UUID_ANY_CASE.test(text)) {
    throw new ConfigError(`--org must be a UUID, or default.\n\n${USAGE}`);
  }
  return text.toLowerCase();
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new ConfigError(`${name} must be a whole number from ${min} to ${max}.\n\n${USAGE}`);
  }
  return value;
}

const numberOrNone = (name: string, text: string, most = MOST): number | null =>
  text === 'none' ? null : wholeNumber(name, text, 0, most);

function days(text: string): number | null {
  switch (text) {
    case 'default':
      return null;
    case 'forever':
      return 0;
    default:
      return wholeNumber('--retention-days', text, 1, MAX_DAYS);
  }
}

/** A limit of requests a minute: null takes the service's own, 0 stands for none. */
function rate(
  member: 'submitsPerMinute' | 'pollsPerMinute' | 'requestsPerMinute',
  name: string,
  text: string | undefined,
): Partial<OrganizationLimits> {
  if (text === undefined) {
    return {};
  }
  const special: Record<string, number | null> = { none: 0, default: null };
  return {
    [member]: text in special ? special[text] : wholeNumber(name, text, 1, MAX_PER_MINUTE),
  };
}

/** Of the columns. */
const WIDTHS = [38, 8, 13, 15, 18, 16, 13, 11, 14];

async function show(limits: LimitsStore): Promise<void> {
  const { organizations, tasks } = await limits.list();
  const row = (...cells: readonly string[]) =>
    console.log(
      cells
        .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
        .join('')
        .trimEnd(),
    );
  const shown = (cap: number | null) => cap?.toString() ?? 'none';
  const perMinute = (limit: number | null) =>
    limit === null ? 'default' : limit === 0 ? 'none' : String(limit);
  row(
    'organization',
    'weight',
    'max running',
    'max unstarted',
    'max stored bytes',
    'retention days',
    'submits/min',
    'polls/min',
    'requests/min',
  );
  if (!organizations.some(({ orgId }) => orgId === NIL_UUID)) {
    row('default', '1', 'none', 'none', 'none', 'default', 'default', 'default', 'default');
  }
  for (const { orgId, weight, ...own } of organizations) {
    row(
      orgId === NIL_UUID ? 'default' : orgId,
      String(weight),
      shown(own.maxRunning),
      shown(own.maxUnstarted),
      shown(own.maxStoredBytes),
      own.retentionDays === 0 ? 'forever' : (own.retentionDays?.toString() ?? 'default'),
      perMinute(own.submitsPerMinute),
      perMinute(own.pollsPerMinute),
      perMinute(own.requestsPerMinute),
    );
  }
  console.log();
  row('task', '', 'max running');
  tasks.forEach(({ topic, task, maxRunning }) => row(`${topic}/${task}`, '', String(maxRunning)));
  console.log();
  row('the largest', '', 'stored bytes');
  (await limits.usage()).forEach(({ orgId, storedBytes }) => row(orgId, '', String(storedBytes)));
}

main().catch(exitFatally);
