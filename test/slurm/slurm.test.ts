import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';
import { Cluster, hasSlurm } from './cluster.js';

/** Steps of a fifth of a second; tells the id that Slurm gave the job. */
const STEPS = `read -r parameters; steps=$(echo "$parameters" | tr -cd 0-9)
echo "started by Slurm as job $SLURM_JOB_ID" >&2
i=0
while [ $i -lt $steps ]; do
  i=$((i + 1)); echo "{\\"progress\\": $((100 * i / steps)), \\"message\\": \\"step $i\\"}"; sleep 0.2
done
[ $steps -eq 0 ] && exit 3
echo "{\\"results\\": {\\"slurm_job\\": $SLURM_JOB_ID, \\"cpus\\": $SLURM_CPUS_PER_TASK}}"`;

const TASKS = {
  steps: manifest({
    name: 'steps',
    launcher: [
      'srun',
      '--quiet',
      '--job-name={name}',
      '--cpus-per-task={cpus}',
      '--mem={memory_mb}',
    ],
    command: ['/bin/sh', '-c', STEPS],
    cancel: ['scancel', '--name={name}'],
    env: ['SLURM_CONF'],
    resources: { cpus: 2, memory_mb: 256 },
    parameters: {
      type: 'object',
      required: ['steps'],
      properties: { steps: { type: 'integer', minimum: 0, maximum: 10_000 } },
    },
    example: { steps: 3 },
  }),
};
const PATIENCE_MS = 60_000;

describe.skipIf(process.env.HEADFRAME_TEST_SLURM !== '1' || !hasSlurm())('a job on Slurm', () => {
  const org = randomUUID();
  let folder: string;
  let cluster: Cluster;
  let database: TestDatabase;
  let service: Service;
  let client: Client;

  beforeAll(async () => {
    folder = tasksFolder(TASKS);
    cluster = await Cluster.start();
    database = await createTestDatabase();
    service = await startService(database.url, { TASKS_DIR: folder, ...cluster.environment });
    client = new Client(service.url, org, await token(org));
  }, 180_000);
  afterAll(async () => {
    await service?.stop();
    await database?.drop();
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const begun = async (steps: number) => {
    const job = await client.submit('test/steps', { steps });
    const status = await client.waitFor(job, ({ progress }) => progress > 0, PATIENCE_MS);
    return { job, name: `headframe-${job.split('/').at(-1)}-1`, status };
  };
  const empty = () => expect.poll(() => cluster.queue(), { timeout: PATIENCE_MS }).toEqual([]);

  it('is a job of Slurm, with live progress, a log and results', async () => {
    const { job, name, status } = await begun(25);
    expect(status.status).toBe('in progress');
    expect(await cluster.queue()).toEqual([{ name, state: 'RUNNING' }]);
    const later = await client.waitFor(
      job,
      ({ progress }) => progress > status.progress,
      PATIENCE_MS,
    );
    expect(later.message).toMatch(/^step \d+$/);
    expect((await client.ended(job, PATIENCE_MS)).status).toBe('succeeded');
    const { results } = (await client.get(job)).body;
    expect(results).toEqual({ slurm_job: expect.any(Number), cpus: 2 });
    expect((await client.get(`${job}/logs`)).body.logs[0].text).toContain(
      `started by Slurm as job ${results.slurm_job}\n`,
    );
    await empty();
  }, 120_000);

  it('ends in Slurm, too, when it is canceled', async () => {
    const { job, name } = await begun(1_000);
    expect(await cluster.queue()).toEqual([{ name, state: 'RUNNING' }]);
    expect((await client.delete(job)).status).toBe(204);
    expect((await client.ended(job, PATIENCE_MS)).status).toBe('canceled');
    await empty();
  }, 120_000);

  it('waits for its turn in Slurm, and can be canceled there', async () => {
    const first = await begun(1_000);
    const second = await client.submit('test/steps', { steps: 1 });
    await expect
      .poll(() => cluster.queue(), { timeout: PATIENCE_MS })
      .toEqual(expect.arrayContaining([expect.objectContaining({ state: 'PENDING' })]));
    for (const job of [second, first.job]) {
      await client.delete(job);
      expect((await client.ended(job, PATIENCE_MS)).status).toBe('canceled');
    }
    await empty();
  }, 120_000);

  it('passes on the exit code of its command', async () => {
    const job = await client.submit('test/steps', { steps: 0 });
    const { error } = await client.ended(job, PATIENCE_MS);
    expect(error.detail).toContain('exit code 3');
  }, 120_000);

  it('ends in Slurm when the service is killed', async () => {
    await begun(1_000);
    await service.end('SIGKILL');
    await empty();
  }, 120_000);
});
