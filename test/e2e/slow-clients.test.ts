import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const MAX_CONNECTIONS = 5;
/** A byte a second: never idle, and never done. */
const DRIP_MS = 1_000;

describe('clients that take their time', () => {
  let database: TestDatabase;
  let service: Service;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url, {
      ROLE: 'api',
      MAX_CONNECTIONS: String(MAX_CONNECTIONS),
    });
  });
  afterAll(async () => {
    sockets.forEach((socket) => socket.destroy());
    await service?.stop();
    await database?.drop();
  });

  function open(): Socket {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  }

  /** Sends the beginning, then drips until it is cut off. @returns all that was answered */
  async function drip(beginning: string): Promise<string> {
    const socket = open();
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    const closed = once(socket, 'close');
    socket.write(beginning);
    while (!socket.destroyed && answer === '') {
      socket.write('a');
      await Promise.race([sleep(DRIP_MS), closed]);
    }
    await closed;
    return answer;
  }

  const expectTimeout = (answer: string): void => {
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(answer).toContain('problem/request-timeout');
  };

  it.concurrent('are cut off with 408 when their headers do not come to an end', async () => {
    expectTimeout(await drip('GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: '));
  });

  it.concurrent('are cut off with 408 when their body does not', async () => {
    const org = randomUUID();
    const head = [
      `POST /compute/orgs/${org}/diagnostics/sleep HTTP/1.1`,
      'Host: a',
      `Authorization: Bearer ${await token(org)}`,
      'Content-Type: application/json',
      'Content-Length: 1000',
    ];
    expectTimeout(await drip(`${head.join('\r\n')}\r\n\r\n{"parameters":{"`));
  });

  it('are let go as they come when there are too many of them', async () => {
    const held = Array.from({ length: MAX_CONNECTIONS }, open);
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    const surplus = open();
    await once(surplus, 'close');
    expect(surplus.bytesRead).toBe(0);
    held.forEach((socket) => socket.destroy());
    await expect
      .poll(() =>
        fetch(`${service.url}/health/live`).then(
          ({ status }) => status,
          () => null,
        ),
      )
      .toBe(200);
  });
});
