import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/auth/caller.js';
import { VerifiedTokens } from '../../src/auth/tokens/verified-tokens.js';

const caller = (expiresAt: number): Caller => ({
  subject: 'tester',
  client: null,
  organizations: new Set(),
  scopes: new Set(),
  expiresAt,
});

describe('verified tokens', () => {
  it('are believed for a minute', () => {
    let now = 0;
    const tokens = new VerifiedTokens(() => now);
    const one = caller(3_600);
    tokens.remember('one', one);
    now = 59_999;
    expect(tokens.callerOf('one')).toBe(one);
    expect(tokens.callerOf('two')).toBeNull();
    now = 60_000;
    expect(tokens.callerOf('one')).toBeNull();
  });

  it('are never believed beyond their end', () => {
    let now = 0;
    const tokens = new VerifiedTokens(() => now);
    tokens.remember('one', caller(10));
    now = 9_999;
    expect(tokens.callerOf('one')).not.toBeNull();
    now = 10_000;
    expect(tokens.callerOf('one')).toBeNull();
  });

  it('are forgotten when there are too many', () => {
    const tokens = new VerifiedTokens(() => 0);
    tokens.remember('first', caller(3_600));
    for (let count = 0; count < 10_000; count += 1) {
      tokens.remember(`token ${count}`, caller(3_600));
    }
    expect(tokens.callerOf('first')).toBeNull();
    expect(tokens.callerOf('token 9999')).not.toBeNull();
  });
});
