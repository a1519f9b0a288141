import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

const FOLDER = fileURLToPath(new URL('../../examples/evo-python-client/', import.meta.url));
const PROGRAM = `${FOLDER}kriging.py`;
/** A Python that has what requirements.txt names; `.ci/run` makes one. */
const PYTHON = process.env.HEADFRAME_TEST_EVO_PYTHON ?? 'python3';
const WANTED = /^evo-compute\S*==(\S+)$/m.exec(
  readFileSync(`${FOLDER}requirements.txt`, 'utf8'),
)?.[1];

const VERSION = 'import evo.aio, importlib.metadata as m; print(m.version("evo-compute"))';
const found = spawnSync(PYTHON, ['-c', VERSION], { encoding: 'utf8', timeout: 60_000 });
const isThere = found.status === 0 && found.stdout.trim() === WANTED;
if (!isThere) {
  console.warn(
    `Skipped: no Python with evo-compute ${WANTED}. To have it: python3 -m venv VENV && ` +
      'VENV/bin/pip install -r examples/evo-python-client/requirements.txt, ' +
      'then HEADFRAME_TEST_EVO_PYTHON=VENV/bin/python.',
  );
}

describe.skipIf(!isThere)('the public Python client, unmodified', () => {
  let database: TestDatabase;
  let service: Service;
  const org = randomUUID();

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService(database.url);
  });
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
  });

  it('runs the example to its end: results, filter, progress, failure, cancel, refusals', async () => {
    const { code, output } = await run({
      HEADFRAME_URL: service.url,
      HEADFRAME_ORG: org,
      HEADFRAME_TOKEN: await token(org),
    });
    expect(code, output).toBe(0);
    for (const said of [
      'Estimated 3103 of 3103 points\n  min 4.670, mean 5.689, max 7.476',
      'Estimated 4 of 4 cells',
      'Fetching results...',
      'JobError 422: Nothing to estimate. Give at least one target.',
      'JobError 409: The job was canceled.\n  JobStatusEnum.cancelled',
      '422: parameters.variogram.nugget: Too small',
      '422: parameters.neighborhood.max_samples_per_drillhole: Samples do not name their drillholes',
    ]) {
      expect(output).toContain(said);
    }
    expect(output).toMatch(/\[in progress\] \d+% > Slept \d+ of 600 naps/);
  }, 120_000);
});

function run(
  environment: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(PYTHON, [PROGRAM], {
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
