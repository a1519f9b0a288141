import { createSecretKey, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { SignJWT } from 'jose';
import { developmentKey } from '../auth/keys/development-key.js';
import { ConfigError, loadConfig } from '../platform/config.js';
import { dataHomeOf } from '../platform/database/schema/open-database.js';
import { exitFatally } from '../platform/fatal.js';
import { UUID_ANY_CASE } from '../platform/uuid.js';

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
  const strict = config.AUTH_TOKEN_TYPE === 'at+jwt';
  const claims = {
    [config.AUTH_ORGS_CLAIM]: values.org.map((org) => org.toLowerCase()),
    [config.AUTH_SCOPES_CLAIM]:
      values.scope ?? `${config.AUTH_SCOPE_READ} ${config.AUTH_SCOPE_EXECUTE}`,
    ...(strict && { client_id: 'headframe-token', jti: randomUUID() }),
  };
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: strict ? 'at+jwt' : 'JWT' })
    .setSubject(values.subject)
    .setIssuedAt()
    .setExpirationTime(new Date(Date.now() + hours * 3_600_000));
  if (config.AUTH_ISSUER !== undefined) {
    token.setIssuer(config.AUTH_ISSUER);
  }
  if (config.AUTH_AUDIENCE !== undefined) {
    token.setAudience(config.AUTH_AUDIENCE);
  }
  console.log(await token.sign(createSecretKey(Buffer.from(secret))));
}

main().catch(exitFatally);
