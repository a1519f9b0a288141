import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../support/jobs.js';
import { LEASE_SECONDS, Stage } from './model/model-actors.js';
import { SETTING } from './model/model-choices.js';
import { COMMANDS } from './model/model-commands.js';

/** `npm run test:model` makes many runs, each time from another seed. */
const RUNS = Number(process.env.MODEL_RUNS ?? 120);
const SEED = Number(process.env.MODEL_SEED ?? 20_261_124);
/** A failing sequence is made as short as can be, unless only the failure matters. */
const SHRINK = process.env.MODEL_SHRINK !== 'false';
/** Far more than a run takes on a busy machine. */
const PATIENCE_MS = 60_000 + RUNS * 250;
const TELL_EVERY = 500;
/** The tables are emptied row by row between runs; this often what that leaves is removed as well. */
const TRUNCATE_EVERY = 100;

describe('the engine and a model of it', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.open();
    await engine.outlastBenefitOfTheDoubt(LEASE_SECONDS);
  });
  afterAll(() => engine?.close());

  it(
    `agree after each step of ${RUNS} random sequences, whoever acts late, twice or at the same time`,
    async () => {
      let runs = 0;
      let steps = 0;
      let failed = false;
      const started = performance.now();
      const property = fc.asyncProperty(SETTING, COMMANDS, async (setting, commands) => {
        if (runs % TRUNCATE_EVERY === 0) {
          await engine.owner.query(
            'TRUNCATE job_submissions, job_queue, job_leases, job_ends, job_attempts, workers',
          );
        }
        const { stage, world } = await Stage.open(engine, setting);
        try {
          await fc.asyncModelRun(() => ({ model: { world, stage }, real: stage }), commands);
        } catch (error) {
          failed = true;
          throw new Error(told(stage, error), { cause: error });
        }
        runs += 1;
        steps += stage.story.length;
        if (runs % TELL_EVERY === 0 && !failed) {
          const seconds = (performance.now() - started) / 1_000;
          console.log(`${runs} of ${RUNS} runs, ${steps} steps, ${seconds.toFixed(0)} s`);
        }
      });
      await fc.assert(property, {
        numRuns: RUNS,
        seed: SEED,
        endOnFailure: !SHRINK,
        includeErrorInReport: true,
        interruptAfterTimeLimit: PATIENCE_MS - 10_000,
        markInterruptAsFailure: true,
      });
      expect(steps / RUNS).toBeGreaterThan(5);
    },
    PATIENCE_MS,
  );
});

/** The whole story of a run, with what is wrong at its end. */
const told = ({ story }: Stage, error: unknown): string =>
  [
    error instanceof Error ? error.message : String(error),
    ...story.map((sentence, index) => `${String(index + 1).padStart(3)}. ${sentence}`),
  ].join('\n');
