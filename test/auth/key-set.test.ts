import { exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose';
import { Logger } from '@nestjs/common';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeySet } from '../../src/auth/keys/key-set.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('the keys of an identity provider', () => {
  const keys = new Map<string, object>();
  let served: JSONWebKeySet | Error;
  let fetches: number;
  let now: number;
  /** Whether the provider takes questions and never answers. */
  let hang: boolean;
  let set: KeySet;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    for (const kid of ['one', 'two']) {
      const { publicKey } = await generateKeyPair('ES256', { extractable: true });
      keys.set(kid, { ...(await exportJWK(publicKey)), kid, alg: 'ES256' });
    }
  });
  beforeEach(() => {
    serve('one');
    fetches = 0;
    now = 0;
    hang = false;
    const source = {
      fetch: async () => {
        fetches += 1;
        if (hang) {
          await new Promise(() => {});
        }
        if (served instanceof Error) {
          throw served;
        }
        return served;
      },
    };
    set = new KeySet(source, () => now);
  });

  function serve(...kids: string[]): void {
    served = { keys: kids.map((kid) => keys.get(kid)) } as JSONWebKeySet;
  }
  const away = (): void => {
    served = new Error('away');
  };
  /** What becomes of a token with this key id. */
  const judge = (kid: string) =>
    set.keyOf({ alg: 'ES256', kid }).then(
      () => 'known',
      (error: Error & { slug?: string }) => error.slug ?? 'unknown',
    );

  it('are fetched once for all who ask at the same time, and believed for ten minutes', async () => {
    expect(await Promise.all([judge('one'), judge('one'), judge('one')])).toEqual(
      Array(3).fill('known'),
    );
    now = 10 * MINUTE;
    await judge('one');
    expect(fetches).toBe(1);
    now += 1;
    await judge('one');
    expect(fetches).toBe(2);
  });

  it('are asked for again when a token names another, at most every 30 s', async () => {
    await judge('one');
    serve('one', 'two');
    expect(await judge('two')).toBe('known');
    expect(fetches).toBe(2);
    expect(await judge('three')).toBe('unknown');
    now += 29_999;
    expect(await judge('three')).toBe('unknown');
    expect(fetches).toBe(2);
    now += 1;
    expect(await judge('three')).toBe('unknown');
    expect(fetches).toBe(3);
  });

  it('that are new are waited for by all who name them at the same time', async () => {
    await judge('one');
    serve('one', 'two');
    expect(await Promise.all([judge('two'), judge('two'), judge('two')])).toEqual(
      Array(3).fill('known'),
    );
    expect(fetches).toBe(2);
  });

  it('that are known are not waited for once the provider has been away', async () => {
    await judge('one');
    away();
    now = 10 * MINUTE + 1;
    expect(await judge('one')).toBe('known');
    hang = true;
    now += 1_000;
    expect(await judge('one')).toBe('known');
    expect(fetches).toBe(3);
  });

  it('that are withdrawn are refused once the set was fetched again', async () => {
    await judge('one');
    serve('two');
    expect(await judge('one')).toBe('known');
    now += 10 * MINUTE + 1;
    expect(await judge('one')).toBe('unknown');
  });

  it('are believed for a day while the provider is away, and no longer', async () => {
    await judge('one');
    away();
    now = 23 * HOUR;
    expect(await judge('one')).toBe('known');
    now = 24 * HOUR + 1;
    expect(await judge('one')).toBe('unavailable');
    serve('one');
    now += 1_000;
    expect(await judge('one')).toBe('known');
  });

  it('that are not known cannot be judged while the provider is away', async () => {
    away();
    expect(await judge('one')).toBe('unavailable');
    serve('one');
    expect(await judge('one')).toBe('unavailable');
    expect(fetches).toBe(1);
    now += 1_000;
    expect(await judge('one')).toBe('known');
    away();
    expect(await judge('two')).toBe('unavailable');
  });

  it('that make no sense count as none', async () => {
    served = { keys: 'none' } as unknown as JSONWebKeySet;
    expect(await judge('one')).toBe('unavailable');
  });
});
