import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/platform/config.js';
import { settingsOf } from '../../src/platform/logging/settings.js';

const CANARY = 'canary-of-a-secret-0123456789-0123456789';

describe('the settings in the log', () => {
  it('name what is in force, defaults included', () => {
    expect(
      settingsOf(loadConfig({ PORT: '8080', CORS_ORIGINS: 'https://a.example' })),
    ).toMatchObject({
      PORT: 8080,
      ROLE: 'all',
      LOG_LEVEL: 'info',
      CORS_ORIGINS: ['https://a.example'],
    });
  });

  it.each([
    [{ AUTH_JWT_SECRET: CANARY }, 'AUTH_JWT_SECRET', 'set'],
    [
      { DATABASE_URL: `postgres://user:${CANARY}@db.example:5432/jobs?password=${CANARY}` },
      'DATABASE_URL',
      'postgres://db.example:5432/jobs',
    ],
    [
      { AUTH_JWKS_URI: `https://u:${CANARY}@idp.example/keys?code=${CANARY}#${CANARY}` },
      'AUTH_JWKS_URI',
      'https://idp.example/keys',
    ],
    [
      { PUBLIC_URL: `https://${CANARY}@host.example/api` },
      'PUBLIC_URL',
      'https://host.example/api',
    ],
  ])('have no secret in them: case %#', (environment, name, shown) => {
    const settings = settingsOf(loadConfig(environment));
    expect(settings[name]).toBe(shown);
    expect(JSON.stringify(settings)).not.toContain(CANARY);
  });
});
