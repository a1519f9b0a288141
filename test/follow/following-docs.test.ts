import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLE_ORGANIZATION } from '../../src/jobs/job/examples.js';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const page = readFileSync(
  fileURLToPath(new URL('../../docs/following-jobs.md', import.meta.url)),
  'utf8',
);
const run = promisify(execFile);
const hasPython = await run('python3', ['--version']).then(
  () => true,
  () => false,
);
const WALK =
  /^in progress 0 % \n(in progress \d+ % Slept \d of 4 naps\n)+succeeded 100 % Slept \S+ seconds in 4 naps\n$/;

let database: TestDatabase;
let service: Service;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(database.url);
  client = new Client(service.url, EXAMPLE_ORGANIZATION, await token(EXAMPLE_ORGANIZATION));
});
afterAll(async () => {
  await service?.stop();
  await database?.drop();
});

const snippets = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, code]) => code as string,
  );

async function environment() {
  // The first nap outlasts the start of whoever follows.
  const job = await client.submit('diagnostics/sleep', { seconds: 6, steps: 4 });
  await client.waitFor(job, ({ status }) => status === 'in progress');
  return {
    env: {
      PATH: process.env.PATH,
      TOKEN: client.token,
      JOB_URL: client.url + job,
    },
  };
}

describe('the snippets of docs/following-jobs.md run as they stand', () => {
  it('in a shell', async () => {
    const [wait = '', follow = ''] = snippets('sh');
    const { stdout } = await run('sh', ['-c', `${wait}\necho\n${follow}`], {
      env: {
        PATH: process.env.PATH,
        TOKEN: client.token,
        URL: client.url,
        ORG: client.org,
      },
    });
    expect(stdout).toMatch(/^\{"status":"succeeded","results":\{"message":"Slept .* in 4 naps"/);
    expect(stdout).toMatch(/\nretry: 2000\n\nid: .*\nevent: status\ndata: .*"succeeded"/);
    expect(stdout).toMatch(/\nid: .*\nevent: end\ndata: \{\}\n\n$/);
  });

  it('in JavaScript', async () => {
    const [code = ''] = snippets('js');
    const { stdout, stderr } = await run(
      process.execPath,
      ['--input-type=module', '-e', code],
      await environment(),
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(WALK);
  });

  it.skipIf(!hasPython)('in Python', async () => {
    const [code = ''] = snippets('python');
    const { stdout, stderr } = await run('python3', ['-c', code], await environment());
    expect(stderr).toBe('');
    expect(stdout).toMatch(WALK);
  });
});
