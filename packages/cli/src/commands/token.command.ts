import type { Command } from 'commander';
import { command, type Context, doing, type Runtime } from '../command.js';
import { tellSeconds } from '../duration.js';
import { developmentToken, EXAMPLE_ORGANIZATION } from '../login/development-token.js';
import { claimsOf, expiryOf, organizationsOf } from '../login/token-claims.js';
import { fields } from '../terminal/table.js';

interface TokenOptions {
  readonly raw?: boolean;
  readonly development?: boolean;
  readonly scope?: string;
}

export function tokenCommand(runtime: Runtime): Command {
  const token = command('token', 'Show what the token in use says, or the token itself', [
    ['headframe token', 'whose it is, what it grants, until when'],
    ['curl -H "Authorization: Bearer $(headframe token --raw)" …', 'for other programs'],
    ['headframe token --development', 'at a checkout: one of its development key'],
  ])
    .option('--raw', 'the token alone')
    .option('--development', 'a new development token of the checkout that this folder is in')
    .option('--scope <scopes>', 'what a development token is to grant');
  return doing<TokenOptions>(token, runtime, showToken);
}

async function showToken(
  context: Context,
  { raw = false, development = false, scope }: TokenOptions,
): Promise<void> {
  const { terminal } = context;
  if (development) {
    const org = context.options.org ?? EXAMPLE_ORGANIZATION;
    terminal.data(await developmentToken(org, scope));
    return;
  }
  const session = await context.session();
  const token = await session.token();
  if (raw) {
    terminal.data(token);
    return;
  }
  const claims = claimsOf(token);
  const expiry = expiryOf(token);
  const { url, org, origin } = session;
  if (terminal.isJson) {
    terminal.json({ url, org, origin, expires_at: expiry?.toISOString() ?? null, claims });
    return;
  }
  terminal.data(
    fields([
      ['service', url],
      ['organization', org],
      ['from', origin],
      ['subject', text(claims?.sub)],
      ['issuer', text(claims?.iss)],
      ['organizations', organizationsOf(token).join(', ')],
      ['scopes', text(claims?.scope)],
      ['expires', expiry === null ? 'it does not say' : told(expiry)],
    ]),
  );
}

function told(expiry: Date): string {
  const seconds = (expiry.getTime() - Date.now()) / 1000;
  return `${expiry.toISOString()} (in ${tellSeconds(Math.max(0, seconds))})`;
}

function text(claim: unknown): string | null {
  if (claim === undefined || claim === null) return null;
  return typeof claim === 'string' ? claim : JSON.stringify(claim);
}
