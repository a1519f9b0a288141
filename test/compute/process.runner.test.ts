import type { AttemptOutcome } from '../../src/jobs/lease/attempt-outcome.js';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt, StopReason } from '../../src/compute/runners/attempt.js';
import { AttemptLogWriter } from '../../src/compute/runners/process/output/attempt-log-writer.js';
import { ProcessRunner } from '../../src/compute/runners/process/process.runner.js';
import { WorkFolders } from '../../src/compute/runners/process/work-folders.js';
import type { ProcessTask } from '../../src/compute/task.js';
import { JobLogsStore } from '../../src/jobs/logs/logs.store.js';
import { Engine } from '../support/jobs.js';
import { isRunning, type ManifestPart, shellTask } from '../support/process-tasks.js';

let engine: Engine;
let logs: JobLogsStore;
const folders = new WorkFolders();
const limits = { longestLine: 200_000, mostOutput: 400_000 };
let runner: ProcessRunner;
let limited: ProcessRunner;

beforeAll(async () => {
  engine = await Engine.open();
  logs = new JobLogsStore(engine.database);
  runner = new ProcessRunner(new AttemptLogWriter(logs), folders);
  limited = new ProcessRunner(new AttemptLogWriter(logs), folders, limits);
});
afterAll(async () => {
  await folders.onApplicationShutdown();
  await engine?.close();
});

interface Ran {
  readonly outcome: AttemptOutcome;
  readonly told: readonly { percent: number; message: string | null }[];
  /** What is in the database of its log. */
  readonly log: string;
}

/** Runs a task as an attempt of a job that is really leased. */
async function run(
  task: ProcessTask,
  more: Partial<Attempt> & { by?: ProcessRunner } = {},
): Promise<Ran> {
  const { key, leaseId } = await engine.jobIn('in progress');
  const told: { percent: number; message: string | null }[] = [];
  const outcome = await (more.by ?? runner).run({
    jobId: key.jobId,
    orgId: key.orgId,
    leaseId,
    number: 1,
    entry: { task, moduleUrl: '' },
    threads: null,
    parameters: '{}',
    signal: new AbortController().signal,
    onStop: () => undefined,
    onProgress: (percent, message) => told.push({ percent, message }),
    ...more,
  });
  const pieces = await logs.read(key, { attempt: 0, number: 0 }, 200);
  return { outcome, told, log: pieces.map(({ text }) => text).join('') };
}

const sh = (script: string, part: ManifestPart = {}, more: Partial<Attempt> = {}): Promise<Ran> =>
  run(shellTask(script, part), more);

const failure = (slug: string, detail: RegExp = /\S/) =>
  expect.objectContaining({
    kind: 'failed',
    problem: expect.objectContaining({
      type: `urn:headframe:problem/${slug}`,
      detail: expect.stringMatching(detail),
    }),
  });

describe('a command', () => {
  it('gets its parameters as one JSON document, with defaults, and returns results', async () => {
    const parameters = {
      type: 'object',
      properties: { depth: { type: 'number' }, unit: { type: 'string', default: 'm' } },
    };
    const { outcome } = await sh(
      'read -r document; printf \'{"results": {"message": "done", "got": %s}}\\n\' "$document"',
      { parameters },
      { parameters: '{"depth": 12.5}' },
    );
    expect(outcome).toEqual({
      kind: 'succeeded',
      message: 'done',
      results: '{"message":"done","got":{"depth":12.5,"unit":"m"}}',
    });
  });

  it('tells progress, with messages, and its log is kept', async () => {
    const { told, log, outcome } = await sh(
      `echo '{"progress": 10, "message": "ten"}'; sleep 0.2; echo 'to the log: \u00e9' >&2
       echo '{"progress": 20.7}'; sleep 0.2; echo '{"message": "still twenty"}'; echo '{"results": {}}'`,
    );
    expect(outcome.kind).toBe('succeeded');
    expect(told).toEqual([
      { percent: 10, message: 'ten' },
      { percent: 20.7, message: null },
      { percent: 20.7, message: 'still twenty' },
    ]);
    expect(log).toBe('to the log: \u00e9\n');
  });

  it('makes a problem of its own the error of the job', async () => {
    const { outcome } = await sh(
      `echo '{"problem": {"status": 422, "slug": "no-ore", "title": "No ore.", "detail": "Look elsewhere."}}'; exit 3`,
    );
    expect(outcome).toEqual({
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

  it('asks to be run again later', async () => {
    const { outcome } = await sh(`echo '{"retry_later": 90}'`);
    expect(outcome).toEqual({ kind: 'postponed', afterSeconds: 90 });
  });

  it.each([
    ['exit 7', /exit code 7/],
    ['echo \'{"results": {}}\'; exit 1', /exit code 1/],
    ['kill -SEGV $$', /signal SIGSEGV/],
    ['kill -KILL $$', /SIGKILL, as when memory runs out/],
  ])('that ends with %s fails, and may be tried again', async (script, detail) => {
    const { outcome } = await sh(script);
    expect(outcome).toEqual(failure('task-failed', detail));
    expect(outcome).toMatchObject({ retryable: true });
  });

  it('that is not there fails with a clear problem, and the log names it', async () => {
    for (const program of ['headframe-no-such-program', '/no/such/program', '/etc/passwd']) {
      const { outcome, log } = await sh('', { command: [program, 'x'] });
      expect(outcome).toEqual(failure('task-failed', /cannot be started/));
      expect(JSON.stringify(outcome)).not.toContain(program);
      expect(log).toBe(`[headframe] the command ${program} is not there, or may not be executed\n`);
    }
  });

  it('that reads nothing of large parameters succeeds', async () => {
    const parameters = JSON.stringify({ text: 'x'.repeat(4_000_000) });
    const { outcome } = await sh(`exec <&-; sleep 0.1; echo '{"results": {}}'`, {}, { parameters });
    expect(outcome.kind).toBe('succeeded');
  });

  it('does not start with parameters that the manifest, as it is now, refuses', async () => {
    const parameters = {
      type: 'object',
      properties: { below: { type: 'integer', minimum: 3 } },
    };
    const { outcome } = await sh('exit 9', { parameters }, { parameters: '{"below": 2}' });
    expect(outcome).toMatchObject({
      kind: 'failed',
      retryable: false,
      problem: {
        status: 422,
        'invalid-params': [{ name: 'parameters.below', reason: 'must be >= 3' }],
      },
    });
  });
});

describe('what a command should not write', () => {
  it('is left out when it is no JSON, told in the log, and hurts nobody', async () => {
    const { outcome, log, told } = await sh(
      `echo 'Solver 4.2 starts'; echo '{"progress": 5'; printf '\\377\\376\\n\\n'; echo '[1]'
       echo '{"progress": "5"}'; echo '{"prog": 5}'; echo '{"results": {"a": 1}}'; echo bye`,
    );
    expect(outcome).toMatchObject({ kind: 'succeeded', results: '{"a":1}' });
    expect(told).toEqual([]);
    expect(log).toContain('line 1 of standard output is no JSON object: Solver 4.2 starts\n');
    expect(log).toContain(
      'line 2 of standard output: progress ends before it is complete (column 15): a message must stand whole in one line: {"progress": 5\n',
    );
    expect(log).toContain('progress must be a number from 0 to 100');
    expect(log).toContain('has none of progress, message, results, problem and retry_later');
  });

  it('is counted when there is much of it', async () => {
    const { outcome, log } = await sh('yes | head -50000');
    expect(outcome).toEqual(
      failure('invalid-results', /without results, and 50000 lines of its output were no messages/),
    );
    expect(log).toContain('49990 more lines of standard output were no messages\n');
    expect(log.length).toBeLessThan(2_000);
  });

  it('is nothing at all: a success needs results', async () => {
    const { outcome } = await sh('true');
    expect(outcome).toEqual(failure('invalid-results', /ended without results:/));
  });

  it('is results that its schema refuses', async () => {
    const results = { type: 'object', properties: { count: { type: 'integer' } } };
    const { outcome } = await sh(`echo '{"results": {"count": "many"}}'`, { results });
    expect(outcome).toEqual(failure('invalid-results', /its own schema refuses/));
    expect(outcome).toMatchObject({
      retryable: false,
      stack: 'results.count: must be integer',
    });
  });

  it.each([
    ['{"results": {"a": "\\u0000"}}', /results\.a has the character U\+0000/],
    ['{"results": {"a": "\\ud800"}}', /results\.a has half of a surrogate pair/],
    ['{"results": {"a": [1, 1e400]}}', /results\.a\[1\] is a number too large/],
    [
      '{"results": {"a": NaN}}',
      /cannot be kept: results\.a is NaN, which JSON does not have \(column 19\): send null/,
    ],
    ['{"results": {"a": [0, -Infinity]}}', /results\.a\[1\] is -Infinity, .* \(column 23\)/],
    ['{"progress": 100, "results": {"a": Infinity}}', /kept: results\.a is Infinity/],
    ["{'results': {'a': 1}}", /ended without results, and 1 lines/],
    ['{"results": {"a": 1, "a": 2}}', /a member more than once/],
    ['{"results": {"id": 12345678901234567890}}', /results\.id is an integer beyond/],
    [`{"results": {"a": ${'['.repeat(70)}${']'.repeat(70)}}}`, /nested more than 64 levels/],
    ['{"results": [1]}', /results must be an object/],
  ])('is results that cannot be kept: %s', async (line, detail) => {
    const { outcome } = await sh(`cat <<'END'\n${line}\nEND`);
    expect(outcome).toEqual(failure('invalid-results', detail));
  });

  it('is results over the limit: it is stopped, whatever it goes on writing', async () => {
    const { outcome } = await sh(
      `printf '{"results": {"a": "'; yes xxxxxxxxxxxxxxxx | tr -d '\\n'`,
      { grace_seconds: 60 },
    );
    expect(outcome).toEqual(failure('results-too-large', /over the limit of 134217728/));
  }, 60_000);

  it('is more than the bytes of all its output', async () => {
    const task = shellTask('yes >&2', { grace_seconds: 60 });
    const { outcome } = await run(task, { by: limited });
    expect(outcome).toEqual(failure('output-too-large', /more than 400000 bytes/));
    const long = await run(shellTask(`head -c 300000 /dev/zero`), { by: limited });
    expect(long.outcome).toEqual(failure('results-too-large', /limit of 200000/));
  });

  it('is a flood of progress: the last is told, and few of the others', async () => {
    const { outcome, told } = await sh(
      `awk 'BEGIN { for (i = 0; i <= 100000; i++) printf "{\\"progress\\": %f}\\n", i / 1000
        print "{\\"results\\": {}}" }'`,
    );
    expect(outcome.kind).toBe('succeeded');
    expect(told.at(-1)).toEqual({ percent: 100, message: null });
    expect(told.length).toBeLessThan(5_000);
  });

  it('is a flood of log: its last mebibyte is kept, and says what was dropped', async () => {
    const { outcome, log } = await sh(
      `awk 'BEGIN { for (i = 1; i <= 200000; i++) printf "line number %d of the flood\\n", i }' >&2
       echo '{"results": {}}'`,
    );
    expect(outcome.kind).toBe('succeeded');
    expect(log.slice(-40)).toMatch(/line number 200000 of the flood\n$/);
    expect(/\[headframe\] \d+ characters of the log were dropped here\n/.test(log)).toBe(true);
    expect(log.length).toBeLessThanOrEqual(1024 * 1024);
    expect(log.length).toBeGreaterThan(900_000);
  });

  it('is a NUL or half a character in the log: they are replaced', async () => {
    const { log } = await sh(`printf 'a\\000b\\377c\\n' >&2`);
    expect(log).toBe('a\uFFFDb\uFFFDc\n');
  });
});

describe('the surroundings of a command', () => {
  it('have a folder of their own, empty at first and gone afterwards', async () => {
    const { outcome } = await sh(
      `files=$(ls -A | wc -l | tr -d ' '); mkdir -p a/b; echo x > a/b/c; chmod 500 a/b a
       printf '{"results": {"at": "%s", "home": "%s", "tmp": "%s", "files": %s}}\\n' "$PWD" "$HOME" "$TMPDIR" "$files"`,
    );
    const { at, home, tmp, files } = JSON.parse((outcome as { results: string }).results);
    expect({ home, tmp, files }).toEqual({ home: at, tmp: at, files: 0 });
    expect(existsSync(at)).toBe(false);
  });

  it('have nothing of the service’s environment but what the manifest lists', async () => {
    process.env.HEADFRAME_TEST_SHOWN = 'shown';
    process.env.HEADFRAME_TEST_HIDDEN = 'hidden';
    process.env.OPEN_TO_TASKS = 'open';
    process.env.AUTH_JWT_SECRET = 'a-secret';
    process.env.DATABASE_URL = 'postgres://secret';
    try {
      const { outcome } = await sh(
        `printf '{"results": {"all": "'; env | cut -d= -f1 | sort | tr '\\n' ' '; echo '"}}'`,
        { env: ['OPEN_TO_TASKS', 'NOT_SET'], resources: { cpus: 2 } },
      );
      const { all } = JSON.parse((outcome as { results: string }).results);
      expect(all.trim().split(' ')).toEqual(
        expect.arrayContaining(['HOME', 'LANG', 'OPEN_TO_TASKS', 'PATH', 'TMPDIR']),
      );
      expect(all).not.toMatch(/SECRET|DATABASE|HEADFRAME_TEST|NOT_SET|NODE|npm/);
    } finally {
      for (const name of ['OPEN_TO_TASKS', 'AUTH_JWT_SECRET', 'DATABASE_URL']) {
        delete process.env[name];
      }
    }
  });

  it('tell it which job it is', async () => {
    const { outcome } = await sh(
      `printf '{"results": {"all": "%s %s %s/%s %s"}}\\n' "$HEADFRAME_JOB_ID" "$HEADFRAME_ATTEMPT" "$HEADFRAME_TOPIC" "$HEADFRAME_TASK" "$HEADFRAME_CPUS"`,
      { resources: { cpus: 2 } },
      { jobId: '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00' },
    );
    expect(outcome).toMatchObject({
      results: '{"all":"019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00 1 test/process 2"}',
    });
  });

  it('fill in the placeholders of launcher and command, and leave other braces alone', async () => {
    const { outcome } = await sh('', {
      launcher: ['env', 'CPUS={cpus}', 'MB={memory_mb}', 'NAME={name}'],
      command: [
        '/bin/sh',
        '-c',
        `awk 'BEGIN {print "{\\"results\\": {\\"all\\": \\"" ENVIRON["CPUS"] " " ENVIRON["MB"] " " ENVIRON["NAME"] "\\"}}"}'`,
      ],
      resources: { cpus: 4, memory_mb: 512 },
    });
    expect(JSON.parse((outcome as { results: string }).results).all).toMatch(
      /^4 512 headframe-[0-9a-f-]{36}-1$/,
    );
  });

  it('limit its memory', async () => {
    const fill = `awk 'BEGIN { s = "0123456789abcdef"; while (length(s) < 600000000) s = s s; print "{\\"results\\": {}}" }'`;
    const { outcome } = await sh(fill, { resources: { memory_mb: 256 } });
    expect(outcome).toEqual(failure('task-failed', /exit code|signal/));
    expect(
      (await sh(`echo '{"results": {}}'`, { resources: { memory_mb: 256 } })).outcome.kind,
    ).toBe('succeeded');
  });
});

describe('stopping a command', () => {
  /** Starts a script that tells its pid as progress, and waits for it. */
  async function begin(script: string, part: ManifestPart = {}, first = '') {
    const stopping = new AbortController();
    let pid = 0;
    const ran = sh(
      `${first} echo "{\\"progress\\": 1, \\"message\\": \\"$$\\"}"; ${script}`,
      part,
      {
        signal: stopping.signal,
        onProgress: (_percent, message) => {
          pid = Number(message);
        },
      },
    );
    await expect.poll(() => pid, { timeout: 20_000 }).toBeGreaterThan(0);
    const asked = performance.now();
    return {
      pid,
      async stop(reason: StopReason) {
        stopping.abort(reason);
        const { outcome, log } = await ran;
        return { outcome, log, ms: performance.now() - asked };
      },
      ran,
    };
  }

  it('asks it first, and lets it clean up', async () => {
    const { pid, stop } = await begin(
      `trap 'echo cleaned up >&2; exit 0' TERM; while :; do sleep 0.05; done`,
      { grace_seconds: 60 },
    );
    const { outcome, log } = await stop('canceled');
    expect(outcome).toEqual({ kind: 'stopped' });
    expect(log).toContain('cleaned up\n');
    expect(isRunning(pid)).toBe(false);
  });

  it('kills it after the grace time when it ignores SIGTERM, with all that it started', async () => {
    const { pid, stop } = await begin(
      'while :; do :; done',
      { grace_seconds: 0.5 },
      `trap '' TERM; sh -c 'while :; do :; done' & echo "child $!" >&2;`,
    );
    const { outcome, log, ms } = await stop('timed out');
    expect(outcome).toEqual({ kind: 'stopped' });
    expect(ms).toBeGreaterThan(400);
    expect(isRunning(pid)).toBe(false);
    const child = Number(/child (\d+)/.exec(log)?.[1]);
    expect(child).toBeGreaterThan(1);
    expect(isRunning(child)).toBe(false);
  });

  it('does not wait for its grace time when the lease is lost', async () => {
    const { pid, stop } = await begin(`trap '' TERM; while :; do sleep 0.05; done`, {
      grace_seconds: 60,
    });
    const { outcome } = await stop('lease lost');
    expect(outcome).toEqual({ kind: 'stopped' });
    expect(isRunning(pid)).toBe(false);
  });

  it('keeps results that were complete before it noticed', async () => {
    const { stop } = await begin(
      `trap 'echo "{\\"results\\": {}}"; exit 0' TERM; while :; do sleep 0.05; done`,
      { grace_seconds: 60 },
    );
    expect((await stop('shutting down')).outcome.kind).toBe('succeeded');
  });

  it('runs the cancel command beside it, with its own placeholders', async () => {
    const { stop } = await begin(`while :; do sleep 0.05; test -e canceled && exit 0; done`, {
      launcher: ['env'],
      cancel: ['/bin/sh', '-c', 'echo "$HEADFRAME_TASK {cpus}" > {workdir}/canceled; exit 3'],
    });
    const { outcome, log } = await stop('canceled');
    expect(outcome).toEqual({ kind: 'stopped' });
    expect(log).toContain('the cancel command failed: ');
  });

  it('never starts what was to stop before', async () => {
    const { outcome } = await sh('touch /started', {}, { signal: AbortSignal.abort('canceled') });
    expect(outcome).toEqual({ kind: 'stopped' });
    expect(existsSync('/started')).toBe(false);
  });
});

describe('when a command has ended', () => {
  it('what it left in the background is ended too', async () => {
    const { outcome } = await sh(
      `sh -c 'while :; do :; done' & printf '{"results": {"pid": %s}}\\n' $!`,
    );
    const { pid } = JSON.parse((outcome as { results: string }).results);
    expect(isRunning(pid)).toBe(false);
  });

  it.runIf(process.platform === 'linux' && existsSync('/usr/bin/setsid'))(
    'a daemon that moved to a session of its own is found and ended',
    async () => {
      const { outcome } = await sh(
        `setsid sh -c 'echo $$ > pid.new; mv pid.new pid; while :; do sleep 1; done' </dev/null &
         while ! test -e pid; do sleep 0.02; done; printf '{"results": {"pid": %s}}\\n' "$(cat pid)"`,
      );
      const { pid } = JSON.parse((outcome as { results: string }).results);
      expect(pid).toBeGreaterThan(1);
      await expect.poll(() => isRunning(pid)).toBe(false);
    },
  );

  it('its closed standard output is not its end', async () => {
    const { outcome, log } = await sh(
      `echo '{"results": {"a": 1}}'; exec >&-; sleep 0.3; echo 'still there' >&2`,
    );
    expect(outcome).toMatchObject({ kind: 'succeeded', results: '{"a":1}' });
    expect(log).toBe('still there\n');
  });

  it('a last line without its end counts', async () => {
    expect((await sh(`printf '{"results": {"a": 1}}'`)).outcome).toMatchObject({
      results: '{"a":1}',
    });
  });
});
