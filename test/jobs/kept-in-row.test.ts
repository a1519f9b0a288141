import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { NO_OPTIONS } from '../../src/jobs/job/job.js';
import { ACTOR, Engine, TASK } from '../support/jobs.js';

/** A JSON object of so many bytes. */
const document = (bytes: number): string => {
  const frame = '{"a":"ü"}';
  return `{"a":"ü${'x'.repeat(bytes - Buffer.byteLength(frame))}"}`;
};
const IN_ROW = 4_096;

describe('parameters and results', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.open();
  });
  afterAll(() => engine?.close());

  it.each([
    [IN_ROW, true],
    [IN_ROW + 1, false],
    [100_000, false],
  ])('of %i bytes come back whole, and are kept in the row: %s', async (bytes, inRow) => {
    const text = document(bytes);
    expect(Buffer.byteLength(text)).toBe(bytes);
    const key = { jobId: uuidv7(), orgId: randomUUID(), topic: TASK.topic, task: TASK.name };
    await engine.submits.create({
      ...key,
      maxAttempts: 1,
      options: NO_OPTIONS,
      parameters: text,
      by: ACTOR,
    });
    const job = await engine.claimFor(await engine.register(), key);
    expect(job.parameters === null).toBe(!inRow);
    expect(job.parameters ?? (await engine.claims.parameters(key.jobId))).toBe(text);
    await engine.leases.succeed({ ...job, message: null, results: text });
    expect(await engine.states.findResults(key)).toMatchObject({ results: text, large: false });
    const { rows } = await engine.owner.query(
      `SELECT parameters_bytes, results_bytes,
         (SELECT bytes FROM job_parameters WHERE job_id = $1) AS apart, (SELECT bytes FROM job_results WHERE job_id = $1) AS results_apart
       FROM job_submissions JOIN job_ends ON job_id = id WHERE id = $1`,
      [key.jobId],
    );
    const [kept, apart] = inRow ? [bytes, null] : [null, bytes];
    expect(rows).toEqual([
      { parameters_bytes: kept, results_bytes: kept, apart, results_apart: apart },
    ]);
    await engine.usage.flush();
    expect(await engine.ends.purge(key, ACTOR)).toBe('succeeded');
    const { rows: used } = await engine.owner.query(
      'SELECT stored_bytes::int AS bytes FROM organization_usage WHERE org_id = $1',
      [key.orgId],
    );
    expect(used).toEqual([{ bytes: 0 }]);
  });
});
