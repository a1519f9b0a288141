import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';

const ORIGIN = 'https://app.example';
const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
};

describe('browsers of other origins', () => {
  let database: TestDatabase;
  let service: Service;
  let path: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, {
      CORS_ORIGINS: `${ORIGIN}, https://other.example`,
    });
    path = `${service.url}/compute/orgs/${randomUUID()}/diagnostics/sleep`;
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  it('are let in by a preflight without a token, when they are of the list', async () => {
    const answer = await fetch(path, {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, ...PREFLIGHT },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-methods')).toContain('DELETE');
    for (const name of ['Authorization', 'API-Preview', 'Idempotency-Key', 'Last-Event-ID']) {
      expect(answer.headers.get('access-control-allow-headers')).toContain(name);
    }
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it('may read refusals, too, and the headers that they need', async () => {
    const answer = await fetch(path, { headers: { origin: ORIGIN } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-expose-headers')).toContain('Location');
  });

  it('see nothing of it when they are not of the list', async () => {
    for (const origin of ['https://evil.example', `${ORIGIN}.evil.example`, 'null']) {
      const answer = await fetch(path, { method: 'OPTIONS', headers: { origin, ...PREFLIGHT } });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  });
});
