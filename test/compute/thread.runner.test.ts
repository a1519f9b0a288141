import type { AttemptOutcome } from '../../src/jobs/lease/attempt-outcome.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/compute/runners/attempt.js';
import type { Task } from '../../src/compute/task.js';
import type { RecordedSpan } from '../../src/compute/runners/trace/span-recorder.js';
import type { ThreadRunner as Runner } from '../../src/compute/runners/thread/thread.runner.js';

// The built one: its threads load the built worker.
const BUILT = new URL('../../dist/compute/runners/thread/thread.runner.js', import.meta.url).href;
const KRIGING = new URL('../../dist/tasks/geostatistics/kriging/kriging.task.js', import.meta.url)
  .href;
const TASK = new URL('../fixtures/tasks/misbehave.task.mjs', import.meta.url).href;

describe('the thread runner', () => {
  let runner: Runner;
  let task: Task;

  beforeAll(async () => {
    const { ThreadRunner } = (await import(BUILT)) as { ThreadRunner: typeof Runner };
    runner = new ThreadRunner({ WORKER_SLOTS: 2, WORKER_MEMORY_MB: 128 } as never);
    task = ((await import(TASK)) as { default: Task }).default;
  });
  afterAll(() => runner?.onApplicationShutdown());

  function run(fault: string, more: Partial<Attempt> = {}): Promise<AttemptOutcome> {
    return runner.run({
      jobId: 'job',
      leaseId: 'lease',
      orgId: 'org',
      number: 1,
      entry: { task, moduleUrl: TASK },
      threads: null,
      parameters: JSON.stringify({ fault }),
      signal: new AbortController().signal,
      onStop: () => undefined,
      onProgress: () => undefined,
      ...more,
    });
  }

  it.each(['throw', 'reject-late', 'exit'])(
    'makes a clean, retryable failure of %s, with the stack for the log only',
    async (fault) => {
      const outcome = await run(fault);
      expect(outcome).toMatchObject({
        kind: 'failed',
        retryable: true,
        stack: expect.any(String),
        problem: { status: 500, type: expect.stringMatching(/\/task-failed$/) },
      });
      expect(JSON.stringify((outcome as { problem: unknown }).problem)).not.toContain('secret');
    },
  );

  it('tells whoever traces of the pieces that a task names, each within the one it is part of', async () => {
    const spans: RecordedSpan[] = [];
    const trace = { traceparent: 'unused', record: (span: RecordedSpan) => void spans.push(span) };
    expect((await run('span-fails', { trace })).kind).toBe('failed');
    const of = (name: string) => spans.find((span) => span.name === name) as RecordedSpan;
    expect([of('inner').parent, of('broken').parent]).toEqual([of('outer').id, of('outer').id]);
    expect([of('inner').failed, of('broken').failed, of('outer').failed]).toEqual([
      null,
      'broke',
      'broke',
    ]);
    expect(of('inner').startedAt).toBeGreaterThanOrEqual(of('outer').startedAt);
    expect(of('outer').endedAt).toBeGreaterThanOrEqual(of('broken').endedAt);
  });

  it('tells of 1,000 pieces of an attempt at most, and of none when nobody traces', async () => {
    const spans: RecordedSpan[] = [];
    const trace = { traceparent: 'unused', record: (span: RecordedSpan) => void spans.push(span) };
    expect((await run('span-flood', { trace })).kind).toBe('succeeded');
    expect(spans).toHaveLength(1_000);
    expect((await run('span-flood')).kind).toBe('succeeded');
  });

  // A thread that is ended while it does aborts the process: see THREAD_ARGUMENTS.
  it('starts threads that do not load ES modules by require', async () => {
    const outcome = await run('require-a-module');
    expect(outcome).toMatchObject({
      results: JSON.stringify({ ok: false, text: 'ERR_REQUIRE_ESM' }),
    });
  });

  it('turns an exhausted heap into a failure of that task alone', async () => {
    const [outcome, neighbour] = await Promise.all([run('out-of-memory'), run('flood')]);
    expect(outcome).toMatchObject({
      kind: 'failed',
      retryable: false,
      problem: { type: expect.stringMatching(/\/out-of-memory$/) },
    });
    expect(neighbour.kind).toBe('succeeded');
  });

  it('thins a flood of progress, and delivers the last', async () => {
    const seen: number[] = [];
    const outcome = await run('flood', { onProgress: (percent) => seen.push(percent) });
    expect(outcome).toEqual({ kind: 'succeeded', results: '{"ok":true}', message: null });
    expect(seen.length).toBeLessThan(1000);
    expect(seen.at(-1)).toBeCloseTo(99.999);
  });

  it.each(['nonsense', 'nul'])('does not let results through that are %s', async (fault) => {
    expect(await run(fault)).toMatchObject({
      kind: 'failed',
      problem: { type: expect.stringMatching(/\/invalid-results$/) },
    });
  });

  it('kills a thread that does not settle, and lets one that heeds its signal end by itself', async () => {
    for (const fault of ['never-settle', 'polite']) {
      const stopping = new AbortController();
      let begun = false;
      const running = run(fault, {
        signal: stopping.signal,
        onProgress: () => {
          begun = true;
        },
      });
      await expect.poll(() => begun).toBe(true);
      stopping.abort('canceled');
      expect(await running).toEqual({ kind: 'stopped' });
    }
  });

  it('does not hand the service’s environment to tasks', async () => {
    expect(await run('environment')).toMatchObject({ results: '{"ok":true,"text":""}' });
  });

  it('refuses parameters that the task, as it is now, does not accept', async () => {
    expect(await run('throw', { parameters: '{"fault":1,"more":2}' })).toMatchObject({
      kind: 'failed',
      retryable: false,
      problem: {
        status: 422,
        'invalid-params': expect.arrayContaining([
          expect.objectContaining({ name: 'parameters.fault' }),
          expect.objectContaining({ name: 'parameters.more' }),
        ]),
      },
    });
  });

  it('lets a task start threads of its own, as many as it may use, and stops them with it', async () => {
    const kriging = (await import(KRIGING)) as { default: Task };
    const krige = (threads: number, more: Partial<Attempt> = {}) =>
      run('', {
        entry: { task: kriging.default, moduleUrl: KRIGING },
        parameters: JSON.stringify({
          ...(kriging.default.example as object),
          target: { grid: { origin: [0, 0], spacing: [0.25, 0.25], size: [400, 400] } },
        }),
        threads: new Int32Array(new SharedArrayBuffer(4)).fill(threads),
        ...more,
      });
    const estimates = (outcome: AttemptOutcome) =>
      outcome.kind === 'succeeded' ? JSON.parse(outcome.results).target : outcome;
    const alone = estimates(await krige(1));
    expect(alone.values).toHaveLength(160_000);
    expect(estimates(await krige(3))).toEqual(alone);

    const stopping = new AbortController();
    const stopped = krige(3, {
      signal: stopping.signal,
      onProgress: (percent) => {
        if (percent > 10) stopping.abort('canceled');
      },
    });
    expect(await stopped).toEqual({ kind: 'stopped' });
  });
});
