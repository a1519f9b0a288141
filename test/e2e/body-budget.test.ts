import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Engine } from '../support/jobs.js';
import { expectProblem } from '../support/problems.js';
import { RawConnection } from '../support/raw-http.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const TASK = 'diagnostics/sleep';
const MIB = 1024 * 1024;

describe('bytes of bodies in flight', () => {
  let database: TestDatabase;
  let engine: Engine;
  let service: Service;
  const org = randomUUID();
  const other = randomUUID();

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = Engine.on(database.url);
    service = await startService(database.url, {
      ROLE: 'api',
      BODY_LIMIT_BYTES: String(2 * MIB),
      BODY_BUDGET_ORG_BYTES: String(3 * MIB),
      BODY_BUDGET_BYTES: String(8 * MIB),
    });
  });
  afterAll(async () => {
    await service?.stop();
    await engine?.close();
    await database?.drop();
  });

  const clientOf = async (id: string) => new Client(service.url, id, await token(id));
  const head = async (framing: string) =>
    [
      `POST /compute/orgs/${org}/${TASK} HTTP/1.1`,
      'Host: x',
      `Authorization: Bearer ${await token(org)}`,
      'Content-Type: application/json',
      framing,
      '\r\n',
    ].join('\r\n');

  /** A body that was announced, and begun, and stays away: it is in the budget when this returns. */
  const holdBody = async (bytes: number): Promise<Socket> => {
    const { hostname, port } = new URL(service.url);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    socket.on('error', () => undefined).resume();
    // The service says that it waits for the body.
    socket.write(await head(`Content-Length: ${bytes}`));
    return socket;
  };
  const probe = async (id: string) => {
    const big = `{"parameters": {"seconds": 0}}${' '.repeat(2 * MIB - 100)}`;
    return (await clientOf(id)).execute(TASK, big);
  };

  /** Holds a body until another of the organization is refused for it. */
  const holdUntilRefused = async (): Promise<Socket> => {
    let held = await holdBody(2 * MIB);
    // Polled, since nothing tells when the service has read its head.
    const status = async () => {
      if (held.bytesRead > 0) {
        // It came while a probe was on its way, and was the one that was refused.
        held.destroy();
        held = await holdBody(2 * MIB);
      }
      return (await probe(org)).status;
    };
    await expect.poll(status, { timeout: 10_000 }).toBe(429);
    return held;
  };

  it('refuses before the body is read, by organization, and takes it when the others are gone', async () => {
    const held = await holdUntilRefused();

    const connection = await RawConnection.open(service.url);
    const refused = await connection.send(await head(`Content-Length: ${2 * MIB}`));
    expectProblem(refused, 429, 'too-many-requests');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    connection.close();

    expect((await (await clientOf(org)).execute(TASK, { parameters: { seconds: 0 } })).status).toBe(
      303,
    );
    expect((await probe(other)).status).toBe(303);

    held.destroy();
    await expect.poll(async () => (await probe(org)).status, { timeout: 10_000 }).toBe(303);
  });

  it('counts chunked bodies as they come', async () => {
    const held = await holdUntilRefused();
    const connection = await RawConnection.open(service.url);
    const chunk = Buffer.alloc(MIB + MIB / 2, 0x20);
    const refused = await connection.send([
      await head('Transfer-Encoding: chunked'),
      `${chunk.length.toString(16)}\r\n`,
      chunk,
      '\r\n',
    ]);
    expectProblem(refused, 429, 'too-many-requests');
    connection.close();
    held.destroy();
  });

  it('gives back what aborted uploads held, a thousand times', async () => {
    for (let round = 0; round < 50; round += 1) {
      const sockets = await Promise.all(Array.from({ length: 20 }, () => holdBody(128 * 1024)));
      sockets.forEach((socket) => socket.destroy());
    }
    await expect.poll(async () => (await probe(org)).status, { timeout: 10_000 }).toBe(303);
  });

  it('stores a large body as it was sent, and knows it again by its key', async () => {
    const client = await clientOf(org);
    const filler = 'ä€𐍈"\\\n'.repeat(40_000);
    const key = { 'idempotency-key': randomUUID() };
    const body = { parameters: { seconds: 0 }, filler };
    const first = await client.execute(TASK, body, key);
    expect(first.status).toBe(303);
    const again = await client.execute(TASK, body, key);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    const changed = await client.execute(TASK, { ...body, filler: [filler] }, key);
    expectProblem(changed, 422, 'invalid-parameters');
    const [, job] = /([^/]+)\/status$/.exec(first.headers.get('location') ?? '') ?? [];
    const { rows } = await engine.owner.query(
      'SELECT parameters::text AS text FROM job_submissions WHERE id = $1',
      [job],
    );
    expect(rows).toEqual([{ text: '{"seconds":0}' }]);
  });

  it('says of a large body where it is wrong', async () => {
    const client = await clientOf(org);
    const wrong = { parameters: { seconds: 'x'.repeat(100_000) } };
    const answer = await client.execute(TASK, wrong);
    expectProblem(answer, 422, 'invalid-parameters');
    expect(answer.body['invalid-params'][0].name).toBe('parameters.seconds');
  });

  it('takes more than half a million arrays, which a map of coordinates has', async () => {
    const client = await clientOf(other);
    const many = `{"parameters":{"seconds":0},"x":[${'[],'.repeat(600_000)}0]}`;
    expect((await client.execute(TASK, many)).status).toBe(303);
  });
});
