import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXAMPLE_ORGANIZATION } from '../../src/jobs/job/examples.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.js';
import { createTestDatabase } from '../support/database.js';
import { startService } from '../support/service.js';
import { token } from '../support/tokens.js';

let headframe: CommandLine;
const servers: Server[] = [];

beforeEach(async () => {
  headframe = new CommandLine({
    HEADFRAME_ORG: EXAMPLE_ORGANIZATION,
    HEADFRAME_TOKEN: await token(EXAMPLE_ORGANIZATION),
  });
});
afterEach(() => {
  headframe.remove();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** Something that answers in place of the service. @returns its address */
async function answering(
  answer: (path: string, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer((request, response) => answer(request.url as string, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const openapi = (version: string) =>
  JSON.stringify({ info: { title: 'Headframe Task API', version } });
const problem = (status: number) =>
  JSON.stringify({ status, type: 'urn:headframe:problem/x', title: 'No.', detail: 'No.' });

describe('a service out of reach', () => {
  it('ends any command with 6, and with what to check', async () => {
    const { code, stdout, stderr } = await headframe.run(['list', '--url', 'http://127.0.0.1:9']);
    expect([code, stdout]).toEqual([6, '']);
    expect(stderr).toContain('--url');
  });

  it('at a submit is told with the key by which to find out whether there is a job', async () => {
    const { code, stderr } = await headframe.run([
      'run',
      'diagnostics/sleep',
      '-p',
      'seconds=1',
      '--url',
      'http://127.0.0.1:9',
    ]);
    expect([code, stderr]).toEqual([6, expect.stringMatching(/--idempotency-key \S{36}/)]);
  });

  it('that was busy for all the patience ends it with 6, too', async () => {
    const url = await answering((_, response) =>
      response.writeHead(429, { 'retry-after': '3600' }).end(problem(429)),
    );
    const { code, stderr } = await headframe.run(['list', '--url', url]);
    expect([code, stderr]).toEqual([6, expect.stringContaining('429')]);
  });
});

describe('what is no service of this version', () => {
  it('is told when it is another version', async () => {
    const url = await answering((path, response) => {
      if (path === '/openapi.json') response.end(openapi('0.0.1'));
      else response.writeHead(404).end(problem(404));
    });
    const { code, stderr } = await headframe.run(['list', '--url', url]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('version 0.0.1, this command 0.1.0'),
    ]);
  });

  it('is told when its answers make no sense', async () => {
    const url = await answering((path, response) => {
      response.end(path === '/openapi.json' ? openapi('9.0.0') : '{"jobs": []}');
    });
    for (const words of [
      ['list'],
      ['tasks'],
      ['run', 'diagnostics/sleep'],
      ['limits'],
      ['watch'],
    ]) {
      const { code, stderr } = await headframe.run([...words, '--url', url]);
      expect([words, code, stderr]).toEqual([words, 6, expect.stringContaining('version 9.0.0')]);
    }
  });

  it('is told when it is no Headframe at all', async () => {
    const url = await answering((_, response) => response.end('<html>Welcome!'));
    const { code, stderr } = await headframe.run(['list', '--url', url]);
    expect([code, stderr]).toEqual([
      6,
      expect.stringContaining('does not say that it is Headframe'),
    ]);
  });
});

it('a wait survives that the service is killed and started again', async () => {
  const database = await createTestDatabase();
  let service = await startService(database.url, { LEASE_SECONDS: '3' });
  const port = new URL(service.url).port;
  try {
    const { stdout } = await headframe.run([
      'run',
      'diagnostics/sleep',
      '--detach',
      // One nap, which outlasts the start of the next command: there is no progress to tell instead.
      '--parameters=seconds=5',
      '--parameters=steps=1',
      `--url=${service.url}`,
    ]);
    const waiting = headframe.start(['wait', stdout.trim(), '--url', service.url]);
    await expect.poll(() => waiting.stderr()).toContain('in progress');
    await service.stop();
    await expect.poll(() => waiting.stderr()).toContain('No answer from');
    service = await startService(database.url, { LEASE_SECONDS: '3', PORT: port });
    const { code, stderr } = await waiting.ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining('It answers again.')]);
  } finally {
    await service.stop();
    await database.drop();
  }
});

describe('wrong usage', () => {
  it.each([
    ['an unknown command', ['lsit'], 'list'],
    ['an unknown option', ['list', '--stauts', 'failed'], '--status'],
    ['a missing argument', ['run'], 'headframe run --help'],
    ['a task that is none', ['run', 'Sleep'], 'topic/task'],
    ['two readers of standard input', ['run', 'a/b', '-p', '-', '--source', '-'], 'once'],
    ['a file that is not there', ['run', 'a/b', '-p', 'no.json'], 'no such file'],
    ['JSON that is none', ['run', 'a/b', '-p', '-'], 'not JSON'],
    ['columns without a table', ['run', 'a/b', '--x', 'east'], '--source'],
    ['a time that is none', ['wait', '@latest', '--for', 'long'], '1h30m'],
    ['a job of nobody', ['wait', '@latest'], 'headframe list'],
  ])('ends with 2, and says what to do: %s', async (_, words, advice) => {
    const { code, stdout, stderr } = await headframe.run([...words, '--url', 'http://127.0.0.1:9']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(advice);
  });
});

it('terminal codes in what others have written do not reach the terminal', async () => {
  const url = await answering((_, response) => {
    const title = 'Nice\x1b]0;owned\x07\x1b[2Jtry';
    response.writeHead(422).end(JSON.stringify({ ...JSON.parse(problem(422)), title }));
  });
  const { stderr } = await headframe.run(['list', '--url', url]);
  expect(stderr).toContain('Nice');
  expect(stderr).not.toContain('\x1b');
  expect(stderr).not.toContain('\x07');
});
