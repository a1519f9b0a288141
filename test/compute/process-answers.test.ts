import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt, StopReason } from '../../src/compute/runners/attempt.js';
import { failure, ProcessRuns } from '../support/process-runs.js';

let runs: ProcessRuns;
beforeAll(async () => {
  runs = await ProcessRuns.open();
});
afterAll(() => runs?.close());

const STUBBORN = `trap '' TERM; while :; do sleep 0.05; done`;
const SUCCESS = { kind: 'succeeded', results: '{"a":1}' };

/** Stops the attempt at its first progress. */
function stopped(reason: StopReason): Partial<Attempt> {
  const stopping = new AbortController();
  return { signal: stopping.signal, onProgress: () => stopping.abort(reason) };
}

describe('a command that has said how it went, and does not end', () => {
  it.each([
    ['it ignores SIGTERM', STUBBORN],
    ['something that it started is left', `sh -c "${STUBBORN}" & wait`],
    ['it prints nonsense for ever', `while :; do echo still there; sleep 0.1; done`],
    ['it writes its log for ever', `while :; do echo still there >&2; sleep 0.1; done`],
    ['it tells the same progress for ever', `while :; do echo '{"progress": 9}'; sleep 0.1; done`],
    ['it closes its output', `exec >&- 2>&-; ${STUBBORN}`],
  ])('is stopped soon, and its results count, though %s', async (_why, rest) => {
    const { outcome, log } = await runs.run(`echo '{"progress": 9, "results": {"a": 1}}'; ${rest}`);
    expect(outcome).toMatchObject(SUCCESS);
    expect(log).toContain('had said how it went and did not end');
  });

  it('may have written no line break', async () => {
    const { outcome } = await runs.run(`printf '{"results": {"a": 1}}'; ${STUBBORN}`);
    expect(outcome).toMatchObject(SUCCESS);
  });

  it('may have said a problem, that it wants to run later, or what cannot be kept', async () => {
    const problem = '{"problem": {"status": 422, "slug": "no-ore", "title": "T.", "detail": "D."}}';
    const after = async (line: string) => (await runs.run(`echo '${line}'; ${STUBBORN}`)).outcome;
    expect(await after(problem)).toEqual(failure('no-ore'));
    expect(await after('{"retry_later": 9}')).toEqual({ kind: 'postponed', afterSeconds: 9 });
    expect(await after('{"results": {"a": NaN}}')).toEqual(
      failure('invalid-results', /results\.a is NaN/),
    );
  });

  it('goes on while it says something new: the last results count', async () => {
    const { outcome, log } = await runs.run(
      String.raw`echo '{"results": {"a": 1}}'
       for i in 1 2 3 4 5 6; do sleep 0.3; echo "{\"progress\": $i}"; done
       echo '{"results": {"a": 2}}'`,
    );
    expect(outcome).toMatchObject({ kind: 'succeeded', results: '{"a":2}' });
    expect(log).toBe('');
  });

  it('that ends by itself soon is judged by how it ends', async () => {
    const { outcome } = await runs.run(`echo '{"results": {"a": 1}}'; sleep 0.2; exit 3`);
    expect(outcome).toEqual(failure('task-failed', /exit code 3/));
  });
});

describe('a command that is stopped', () => {
  it.each(['timed out', 'shutting down', 'no free slot', 'canceled'] as const)(
    'behind its results has returned them: %s',
    async (reason) => {
      const script = `echo '{"progress": 1, "results": {"a": 1}}'; ${STUBBORN}`;
      const { outcome } = await runs.run(script, { grace_seconds: 60 }, stopped(reason));
      expect(outcome).toMatchObject(SUCCESS);
    },
  );

  it.each(['timed out', 'shutting down'] as const)(
    'behind a problem, or its wish to run later, has said that: %s',
    async (reason) => {
      const problem = '"problem": {"status": 422, "title": "T.", "detail": "D."}';
      const after = async (line: string) =>
        (await runs.run(`echo '{"progress": 1, ${line}}'; ${STUBBORN}`, {}, stopped(reason)))
          .outcome;
      expect(await after(problem)).toEqual(failure('task-failed', /^D\.$/));
      expect(await after('"retry_later": 9')).toEqual({ kind: 'postponed', afterSeconds: 9 });
    },
  );

  it.each(['timed out', 'shutting down', 'canceled'] as const)(
    'in the middle of its results has returned nothing: %s',
    async (reason) => {
      const script = `printf '{"progress": 1}\\n{"results": {"a": [1, 2'; ${STUBBORN}`;
      const { outcome } = await runs.run(script, { grace_seconds: 0.1 }, stopped(reason));
      expect(outcome).toEqual({ kind: 'stopped' });
    },
  );

  it('in the middle of better results keeps those that were whole', async () => {
    const script = `printf '{"results": {"a": 1}}\\n{"progress": 1}\\n{"results": {"a": [1, 2'; ${STUBBORN}`;
    const { outcome } = await runs.run(script, {}, stopped('timed out'));
    expect(outcome).toMatchObject(SUCCESS);
  });

  it('says its results only then, and does not end either', async () => {
    const { outcome } = await runs.run(
      `trap 'echo "{\\"results\\": {\\"a\\": 1}}"; trap "" TERM' TERM; echo '{"progress": 1}'
       while :; do sleep 0.05; done`,
      { grace_seconds: 60 },
      stopped('timed out'),
    );
    expect(outcome).toMatchObject(SUCCESS);
  });
});
