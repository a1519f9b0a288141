import { Injectable } from '@nestjs/common';
import { ModuleRef, NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { StopReason } from '../../src/compute/runners/attempt.js';
import { Run } from '../../src/compute/worker/run.js';
import { InlineRunner } from '../../src/compute/runners/inline/inline.runner.js';
import { defineTask, type Task, type TaskContext } from '../../src/compute/task.js';
import { TaskProblem } from '../../src/compute/task.problem.js';

@Injectable()
class Greeter {
  greet(name: string): string {
    return `Hello, ${name}`;
  }
}

/** No module knows this one. */
@Injectable()
class Stranger {
  constructor(private readonly greeter: Greeter) {}

  greet(): string {
    return this.greeter.greet('stranger');
  }
}

@Injectable()
class Broken {
  constructor() {
    throw new Error('cannot be made');
  }
}

class TestModule {}

const base = {
  topic: 'test',
  displayName: 'Test',
  version: '1.0.0',
  description: 'A test.',
  parameters: z.strictObject({}),
  results: z.strictObject({ message: z.string() }),
  example: {},
  runner: 'inline' as const,
};

const untilAborted = (_: unknown, { signal }: TaskContext) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(String(signal.reason))));
  });

const TASKS = {
  greet: defineTask({
    ...base,
    name: 'greet',
    timeoutSeconds: 10,
    inject: [Greeter],
    run: (_parameters, _context, greeter) => ({ message: greeter.greet('task') }),
  }),
  stranger: defineTask({
    ...base,
    name: 'stranger',
    timeoutSeconds: 10,
    inject: [Stranger],
    run: (_parameters, _context, stranger) => ({ message: stranger.greet() }),
  }),
  broken: defineTask({
    ...base,
    name: 'broken',
    timeoutSeconds: 10,
    inject: [Broken],
    run: (_parameters, _context, _broken: Broken) => ({ message: 'never' }),
  }),
  slow: defineTask({ ...base, name: 'slow', timeoutSeconds: 0.05, run: untilAborted }),
  patient: defineTask({ ...base, name: 'patient', timeoutSeconds: 60, run: untilAborted }),
  deaf: defineTask({
    ...base,
    name: 'deaf',
    timeoutSeconds: 60,
    run: () => new Promise<never>(() => undefined),
  }),
  problem: defineTask({
    ...base,
    name: 'problem',
    timeoutSeconds: 60,
    run: () => {
      throw new TaskProblem({
        status: 422,
        slug: 'no-ore',
        title: 'No ore.',
        detail: 'Look elsewhere.',
      });
    },
  }),
};

describe('a run on the inline runner', () => {
  let runner: InlineRunner;
  let close: () => Promise<void>;

  beforeAll(async () => {
    const nest = await NestFactory.createApplicationContext(
      { module: TestModule, providers: [Greeter] },
      { logger: false },
    );
    runner = new InlineRunner(nest.get(ModuleRef));
    close = () => nest.close();
  });
  afterAll(() => close?.());

  const start = (name: keyof typeof TASKS) => {
    const job = {
      jobId: 'job',
      leaseId: 'lease',
      orgId: 'org',
      topic: 'test',
      task: name,
      attempt: 1,
      crashes: 0,
      timeoutSeconds: null,
      traceparent: null,
      waitedMs: 0,
      parameters: null,
    };
    const entry = { task: TASKS[name] as unknown as Task, moduleUrl: '' };
    const run = new Run(job, entry, runner, { report: () => undefined });
    return { run, outcome: run.execute('{}') };
  };

  it('hands Nest providers to the task', async () => {
    expect(await start('greet').outcome).toEqual({
      kind: 'succeeded',
      results: '{"message":"Hello, task"}',
      message: 'Hello, task',
    });
  });

  it('makes an instance of a class that no module knows', async () => {
    expect(await start('stranger').outcome).toMatchObject({
      results: '{"message":"Hello, stranger"}',
    });
  });

  it('rejects when a dependency cannot be made: the dispatcher fails the attempt', async () => {
    await expect(start('broken').outcome).rejects.toThrow('cannot be made');
  });

  it('that is stopped before it began never begins', async () => {
    const { run } = start('patient');
    run.stop('lease lost');
    expect(await run.execute('{}')).toEqual({ kind: 'released' });
  });

  it('makes a typed problem the error of the job, and never repeats it', async () => {
    expect(await start('problem').outcome).toEqual({
      kind: 'failed',
      retryable: false,
      problem: {
        status: 422,
        type: 'urn:headframe:problem/no-ore',
        title: 'No ore.',
        detail: 'Look elsewhere.',
      },
    });
  });

  it('fails an attempt that takes too long with a problem of its own', async () => {
    expect(await start('slow').outcome).toMatchObject({
      kind: 'failed',
      retryable: true,
      problem: { status: 504, type: expect.stringMatching(/\/task-timeout$/) },
    });
  });

  it.each([
    ['canceled', 'canceled'],
    ['shutting down', 'released'],
    ['lease lost', 'released'],
  ] as [StopReason, string][])('that is stopped because %s is %s', async (reason, kind) => {
    const { run, outcome } = start('patient');
    run.stop(reason);
    expect(await outcome).toEqual({ kind });
  });

  it('abandons a task that ignores its signal: it cannot hold the job for longer', async () => {
    const { run, outcome } = start('deaf');
    run.stop('canceled');
    expect(await outcome).toEqual({ kind: 'canceled' });
  });

  it('keeps the first reason when there are several', async () => {
    const { run, outcome } = start('patient');
    run.stop('canceled');
    run.stop('shutting down');
    expect(await outcome).toEqual({ kind: 'canceled' });
  });
});
