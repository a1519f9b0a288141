import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { EXAMPLE_ORGANIZATION } from '../../../src/jobs/job/examples.js';
import { createTestDatabase } from '../../support/database.js';
import { startService } from '../../support/service.js';
import { token } from '../../support/tokens.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

it("the snippets of the client's README run as they stand, one after the other", async () => {
  const readme = readFileSync(`${root}packages/client/README.md`, 'utf8');
  const snippets = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);
  expect(snippets.length).toBeGreaterThanOrEqual(3);
  const database = await createTestDatabase();
  const service = await startService(database.url);
  try {
    const program = snippets.join('\n').replace('http://localhost:3000', service.url);
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: root,
      env: { PATH: process.env.PATH, TOKEN: await token(EXAMPLE_ORGANIZATION) },
    });
    const { stdout, stderr } = await run;
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^succeeded 100 Slept .* seconds in 4 naps$/m);
    expect(stdout).toMatch(/^Slept .* seconds in 4 naps$/m);
    expect(stdout).toMatch(/^canceled 1$/m);
    expect(stdout.trimEnd()).toMatch(/\ntrue$/);
  } finally {
    await service.stop();
    await database.drop();
  }
});
