import { randomUUID } from 'node:crypto';
import { Controller, Get, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import { RequireScope } from '../../src/auth/auth.decorators.js';
import { verificationKey } from '../../src/auth/keys/verification-key.js';
import { TaskCatalogue } from '../../src/compute/catalogue/task-catalogue.js';
import { loadConfig } from '../../src/platform/config.js';
import { NoTracing } from '../../src/platform/tracing/tracing.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { SchemaState } from '../../src/platform/database/schema/schema-state.js';
import { Draining } from '../../src/platform/http/connections/draining.js';
import { createHttpAdapter } from '../../src/platform/http/http-adapter.js';
import { Public } from '../../src/platform/http/public.decorator.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { judgedFetch } from '../support/judged-answer.js';
import { type Service, startService } from '../support/service.js';
import { TEST_SECRET, token } from '../support/tokens.js';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly scope: string | null;
}

let database: TestDatabase;
let service: Service;
let operations: Operation[];
const org = randomUUID();

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url, { ROLE: 'api' });
  operations = await servedOperations();
});
afterAll(async () => {
  await service?.stop();
  await database?.drop();
});

async function servedOperations(): Promise<Operation[]> {
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { security?: Record<string, string[]>[] }>>;
  };
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => /^(get|put|post|delete|patch)$/.test(method))
      .map(([method, { security }]) => ({
        method: method.toUpperCase(),
        path,
        scope: security?.[0]?.bearer?.[0] ?? null,
      })),
  );
}

const guarded = () => operations.filter(({ path }) => path.startsWith('/compute/'));

/** Asks a route for a job that is not there: whoever may ask gets as far as that. */
async function ask({ method, path }: Operation, headers: Record<string, string>) {
  const address = path
    .replace('{org_id}', org)
    .replace('{topic}', 'diagnostics')
    .replace('{task}', 'sleep')
    .replace('{job_id}', randomUUID());
  const response = await judgedFetch(service.url + address, {
    method,
    headers,
    redirect: 'manual',
  });
  const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  await (streams ? response.body?.cancel() : undefined);
  const text = streams ? '' : await response.text();
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    type: response.headers.get('content-type'),
    slug: /problem\/([a-z-]+)/.exec(text)?.[1] ?? null,
    text,
  };
}

const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const ALL_SCOPES = ['compute:read', 'compute:execute', 'compute:admin'];

describe('every route of the served OpenAPI document', () => {
  it('is there, and demands one scope or is a service path', () => {
    expect(guarded().length).toBeGreaterThan(15);
    expect(guarded().filter(({ scope }) => !ALL_SCOPES.includes(String(scope)))).toEqual([]);
    const open = operations.filter(({ path }) => !path.startsWith('/compute/'));
    expect(open.map(({ path }) => path).toSorted()).toEqual([
      '/health/live',
      '/health/ready',
      '/metrics',
    ]);
  });

  it.each<[string, () => Promise<Record<string, string>>, string | null]>([
    ['no token', async () => ({}), null],
    ['another scheme', async () => ({ authorization: 'Basic YTpi' }), null],
    ['a malformed token', async () => bearer('x.y'), 'invalid_token'],
    [
      'an expired token',
      async () => bearer(await token(org, { scope: ALL_SCOPES.join(' '), expiresIn: -60 })),
      'invalid_token',
    ],
    [
      'a forged token',
      async () =>
        bearer(
          await new SignJWT({ orgs: org, scope: ALL_SCOPES.join(' '), sub: 'mallory' })
            .setProtectedHeader({ alg: 'HS256' })
            .setExpirationTime('1h')
            .sign(Buffer.from('not-the-secret-but-just-as-long-0123456789')),
        ),
      'invalid_token',
    ],
    [
      'a token of nobody',
      async () =>
        bearer(
          await token(org, { scope: ALL_SCOPES.join(' '), claims: { sub: undefined } as never }),
        ),
      'invalid_token',
    ],
  ])('with %s answers 401', async (_, headers, code) => {
    const sent = await headers();
    for (const operation of guarded()) {
      const answer = await ask(operation, sent);
      expect({ operation, ...answer }).toMatchObject({
        status: 401,
        slug: 'unauthorized',
        type: expect.stringContaining('application/problem+json'),
        challenge: expect.stringMatching(/^Bearer /),
      });
      expect(answer.challenge?.includes('error="invalid_token"')).toBe(code !== null);
    }
  });

  it('with the token of another organization answers 403, whether or not there is such a one', async () => {
    const stranger = await token(randomUUID(), { scope: ALL_SCOPES.join(' ') });
    for (const operation of guarded()) {
      const answers = [
        await ask(operation, bearer(stranger)),
        await ask(operation, bearer(await token([]))),
      ];
      for (const answer of answers) {
        expect({ operation, ...answer }).toMatchObject({ status: 403, slug: 'forbidden' });
        expect(answer.text).not.toContain(org);
      }
    }
  });

  it('without its scope answers 403 and names it, and with it goes on', async () => {
    for (const operation of guarded()) {
      const others = ALL_SCOPES.filter((scope) => scope !== operation.scope).join(' ');
      const refused = await ask(operation, bearer(await token(org, { scope: others })));
      expect({ operation, ...refused }).toMatchObject({
        status: 403,
        slug: 'forbidden',
        challenge: `Bearer realm="headframe", error="insufficient_scope", scope="${operation.scope}"`,
      });
      const scope = operation.scope as string;
      const allowed = await ask(operation, bearer(await token(org, { scope })));
      expect([200, 404, 415]).toContain(allowed.status);
    }
  });
});

describe('the routes of the framework', () => {
  @Controller('compute/orgs/:org_id/forgotten')
  class ForgottenController {
    @Get()
    list(): string {
      return 'everything';
    }
  }

  @Controller('compute/orgs/:org_id/half-open')
  @Public(true)
  class HalfOpenController {
    @Get()
    @RequireScope('compute:admin')
    list(): string {
      return 'everything';
    }
  }

  async function application(controllers: Type[]) {
    const config = loadConfig({
      DATABASE_URL: database.url,
      AUTH_JWT_SECRET: TEST_SECRET,
      LOG_LEVEL: 'silent',
      ROLE: 'api',
    });
    const draining = new Draining();
    const { adapter, allowedMethods } = createHttpAdapter({
      trustProxy: false,
      maxConnections: 100,
      draining,
      schema: new SchemaState(),
    });
    const routes = new Set<string>();
    (adapter.getInstance() as unknown as FastifyInstance).addHook('onRoute', (route) => {
      [route.method].flat().forEach((method) => routes.add(`${method} ${route.url}`));
    });
    const module = AppModule.forRoot({
      config,
      database: { url: database.url, requestUrl: database.url },
      draining,
      schema: new SchemaState(),
      allowedMethods,
      metrics: new Metrics(false),
      tracing: new NoTracing(),
      key: verificationKey(config, null),
      catalogue: new TaskCatalogue([]),
    });
    const nest = await NestFactory.create<NestFastifyApplication>(
      { ...module, controllers: [...(module.controllers ?? []), ...controllers] },
      adapter,
      { logger: false, bodyParser: false, abortOnError: false },
    );
    return { nest, routes };
  }

  it('are all in the document', async () => {
    const { nest, routes } = await application([]);
    try {
      await nest.init();
      const own = [...routes]
        .filter((route) => /^(GET|PUT|POST|DELETE|PATCH) \/compute\/orgs/.test(route))
        .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
      const documented = operations.map(({ method, path }) => `${method} ${path}`);
      expect(own.length).toBeGreaterThan(7);
      expect(own.filter((route) => !documented.includes(route))).toEqual([]);
      // Whatever was added past the guards, straight to the server, would be among these.
      const others = [...routes].filter((route) => !route.includes(' /compute/orgs'));
      expect(
        others.filter(
          (route) => !/ (\/health\/(live|ready)|\/metrics|\/|\*|\/\*|\/compute\/\*)$/.test(route),
        ),
      ).toEqual([]);
    } finally {
      await nest.close();
    }
  });

  it('keep the service from starting when one does not say whom it is for', async () => {
    const { nest } = await application([ForgottenController]);
    await expect(nest.init()).rejects.toThrow(/ForgottenController\.list \(GET\)/);
    await nest.close();
  });

  it('keep the service from starting when one says so twice: the scope would not count', async () => {
    const { nest } = await application([HalfOpenController]);
    await expect(nest.init()).rejects.toThrow(/HalfOpenController\.list \(GET\)/);
    await nest.close();
  });
});
