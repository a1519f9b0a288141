import { parseArgs } from 'node:util';
import { developmentKey } from '../auth/keys/development-key.js';
import { signedToken } from '../auth/keys/signed-token.js';
import { ConfigError, loadConfig } from '../platform/config.js';
import { dataHomeOf } from '../platform/database/schema/open-database.js';
import { exitFatally } from '../platform/fatal.js';
import { UUID_ANY_CASE } from '../platform/ids/uuid.js';

const USAGE = `Usage: node dist/cli/token.js --org <uuid> [--org <uuid> …] [--scope "<scopes>"] [--subject <name>] [--hours <n>]
       npm run token -- --org <uuid> …

Prints a token for development, signed with the development key or AUTH_JWT_SECRET.

  --org      an organization that the token grants; repeatable
  --scope    default "compute:read compute:execute", as they are called here
  --subject  default "developer"
  --hours    how long it is good for; default 12
`;

/** `npm run token`: prints a development token, alone, on standard output. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      org: { type: 'string', multiple: true, default: [] },
      scope: { type: 'string' },
      subject: { type: 'string', default: 'developer' },
      hours: { type: 'string', default: '12' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const hours = Number(values.hours);
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (values.org.length === 0 || !values.org.every((org) => UUID_ANY_CASE.test(org))) {
    throw new ConfigError(`Name at least one organization by its UUID.\n\n${USAGE}`);
  }
  if (!(hours > 0)) {
    throw new ConfigError(`--hours must be a number above 0.\n\n${USAGE}`);
  }
  const config = loadConfig();
  const secret = config.AUTH_JWT_SECRET ?? developmentKey(config, dataHomeOf(config));
  if (secret === null) {
    throw new ConfigError(
      'Tokens are verified with a public key (AUTH_JWT_PUBLIC_KEY or AUTH_JWKS_URI): obtain one from whoever holds the private key.',
    );
  }
  const token = await signedToken(config, secret, {
    organizations: values.org,
    scope: values.scope ?? `${config.AUTH_SCOPE_READ} ${config.AUTH_SCOPE_EXECUTE}`,
    subject: values.subject,
    client: 'headframe-token',
    seconds: hours * 3_600,
  });
  console.log(token);
}

main().catch(exitFatally);
