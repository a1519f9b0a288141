import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HeadframeClient, type Job } from 'headframe-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLE_ORGANIZATION } from '../../src/jobs/job/examples.js';
import { CommandLine } from '../support/command-line.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { manifest, tasksFolder } from '../support/process-tasks.js';
import { type Service, startService } from '../support/service.js';
import { token } from '../support/tokens.js';

let database: TestDatabase;
let service: Service;
let headframe: CommandLine;
let tasks: string;

beforeAll(async () => {
  database = await createTestDatabase();
  tasks = tasksFolder({
    talking: manifest({
      command: ['/bin/sh', '-c', 'echo one >&2; sleep 1; echo two >&2; echo \'{"results": {}}\''],
    }),
  });
  service = await startService(database.url, { TASKS_DIR: tasks });
  headframe = new CommandLine({
    HEADFRAME_URL: service.url,
    HEADFRAME_ORG: EXAMPLE_ORGANIZATION,
    HEADFRAME_TOKEN: await token(EXAMPLE_ORGANIZATION),
  });
});
afterAll(async () => {
  headframe.remove();
  await service.stop();
  await database.drop();
  rmSync(tasks, { recursive: true });
});

const SLEEP = ['run', 'diagnostics/sleep'];
const SHORT = ['-p', 'seconds=0.1', '-p', 'steps=2'];

/** Submits a job that goes on until it is canceled. @returns its name */
async function longJob(): Promise<string> {
  const { stdout } = await headframe.run([...SLEEP, '-p', 'seconds=600', '--detach']);
  return stdout.trim();
}

describe('headframe run', () => {
  it('prints the results and nothing else on standard output, and 0 is how it ends', async () => {
    const { code, stdout, stderr } = await headframe.run([...SLEEP, ...SHORT]);
    expect(JSON.parse(stdout)).toMatchObject({ steps: 2 });
    expect(stderr).toMatch(/^Submitted diagnostics\/sleep\/[0-9a-f-]{36}$/m);
    expect(stderr).toMatch(/^succeeded: Slept .* seconds in 2 naps \(.*\)$/m);
    expect(stderr).not.toContain('\x1b');
    expect(code).toBe(0);
  });

  it('says nothing besides when it is to be quiet', async () => {
    const { stdout, stderr } = await headframe.run([...SLEEP, ...SHORT, '--quiet']);
    expect(JSON.parse(stdout)).toMatchObject({ steps: 2 });
    expect(stderr).toBe('');
  });

  it('is one JSON document for machines, and with --follow a line for each change', async () => {
    const once = await headframe.run([...SLEEP, ...SHORT, '--json']);
    expect(JSON.parse(once.stdout)).toMatchObject({
      job: { task: 'diagnostics/sleep' },
      status: 'succeeded',
      results: { steps: 2 },
    });
    const { stdout } = await headframe.run([...SLEEP, ...SHORT, '--json', '--follow']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines.at(-2)).toMatchObject({ status: 'succeeded', progress: 100 });
    expect(lines.at(-1)).toMatchObject({ status: 'succeeded', results: { steps: 2 } });
  });

  it('ends with 1 when the job fails, and says why and where there is more', async () => {
    const { code, stdout, stderr } = await headframe.run([...SLEEP, ...SHORT, '-p', 'fail=true']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/headframe: diagnostics\/sleep .* failed: /);
    expect(stderr).toContain('headframe logs diagnostics/sleep/');
  });

  it('takes parameters of files, standard input and members, later ones over earlier ones', async () => {
    const file = path.join(headframe.home, 'sleep.json');
    writeFileSync(file, '{"seconds": 60, "steps": 7}');
    const words = ['-p', file, '-p', '-', '-p', 'steps=3', '-p', 'fail.title=Out of paper'];
    const { code, stdout } = await headframe.run([...SLEEP, ...words, '--json', '--follow'], {
      stdin: '{"seconds": 0.05, "fail": {"status": 503, "title": "", "detail": "Buy some."}}',
    });
    const last = stdout.trim().split('\n').at(-1);
    expect([code, JSON.parse(last!)]).toMatchObject([
      1,
      { status: 'failed', error: { status: 503, title: 'Out of paper', detail: 'Buy some.' } },
    ]);
    const { job } = JSON.parse(last!) as { job: Job };
    const client = new HeadframeClient({
      url: service.url,
      org: EXAMPLE_ORGANIZATION,
      token: await token(EXAMPLE_ORGANIZATION),
    });
    expect(await client.parameters(job)).toMatchObject({ seconds: 0.05, steps: 3 });
  });

  it('submits labels and other options, by which the job is found again', async () => {
    const words = ['-l', 'project=meuse', '--priority', '7', '--timeout', '2m', '--detach'];
    const { stdout } = await headframe.run([...SLEEP, ...SHORT, ...words, '--json']);
    const { id } = JSON.parse(stdout) as { id: string };
    const listed = await headframe.run(['list', '-l', 'project=meuse', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ id, priority: 7 }]);
  });

  it('makes one job of one idempotency key', async () => {
    const words = [...SLEEP, ...SHORT, '--detach', '--idempotency-key', 'night-1'];
    const first = await headframe.run(words);
    const again = await headframe.run(words);
    expect(again.stdout).toBe(first.stdout);
  });

  it('tells each fault of the parameters, and what to do', async () => {
    const { code, stderr } = await headframe.run([...SLEEP, '-p', 'seconds=soon', '-p', 'naps=1']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^ {2}parameters\.seconds: /m);
    expect(stderr).toContain('headframe tasks show');
  });

  it('is left by Ctrl-C, which says how to go on; the job goes on', async () => {
    const running = headframe.start([...SLEEP, '-p', 'seconds=600']);
    await expect.poll(() => running.stderr()).toMatch(/Submitted[\s\S]*in progress/);
    running.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    const [, name = ''] = /headframe wait (\S+)/.exec(stderr) ?? [];
    expect(stderr).toContain(`headframe cancel ${name}`);
    const { stdout } = await headframe.run(['status', name, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'in progress' });
    await headframe.run(['cancel', '@latest']);
  });

  it('ends with 4 when it has waited long enough', async () => {
    const { code, stderr } = await headframe.run([...SLEEP, '-p', 'seconds=600', '--for', '1s']);
    expect(code).toBe(4);
    expect(stderr).toContain('not ended within 1 s');
    await headframe.run(['cancel', '@latest']);
  });

  it('runs a job again with its parameters, or with others', async () => {
    await headframe.run([...SLEEP, ...SHORT]);
    const again = await headframe.run(['rerun', '@latest']);
    expect(JSON.parse(again.stdout)).toMatchObject({ steps: 2 });
    const other = await headframe.run(['rerun', '@latest', '-p', 'seconds=0.1', '-p', 'steps=4']);
    expect(JSON.parse(other.stdout)).toMatchObject({ steps: 4 });
  });
});

describe('headframe wait', () => {
  it('tells by its exit code how a job has ended: 3 is canceled', async () => {
    const name = await longJob();
    const waiting = headframe.start(['wait', name]);
    await expect.poll(() => waiting.stderr()).toContain('in progress');
    await headframe.run(['cancel', name]);
    const { code, stdout, stderr } = await waiting.ended;
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain('canceled');
  });

  it('knows a job by its address, its id, the beginning of that, and as @latest', async () => {
    const { stdout } = await headframe.run([...SLEEP, ...SHORT, '--detach']);
    const name = stdout.trim();
    const id = name.split('/').at(-1) as string;
    const address = `${service.url}/compute/orgs/${EXAMPLE_ORGANIZATION}/${name}/status`;
    for (const each of [name, address, id, id.slice(0, 20), '@latest']) {
      const { code, stdout: told } = await headframe.run(['wait', each, '--json']);
      expect([each, code, JSON.parse(told)]).toMatchObject([each, 0, { status: 'succeeded' }]);
    }
  });

  it('ends with 2 for what names no job', async () => {
    for (const name of ['nonsense', '019a0b5c-7d2e-7f31-8a44-5b6c7d8e9f00']) {
      const { code, stderr } = await headframe.run(['wait', name]);
      expect([name, code]).toEqual([name, 2]);
      expect(stderr).toContain('no job');
    }
  });
});

describe('results', () => {
  it('are written to a file whole', async () => {
    const file = path.join(headframe.home, 'out.json');
    const { code, stdout } = await headframe.run([...SLEEP, ...SHORT, '-o', file]);
    expect([code, stdout]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ steps: 2 });
  });

  it('leave what was there when the disk is full, and say where they still are', async () => {
    await headframe.run([...SLEEP, ...SHORT, '--detach']);
    await headframe.run(['wait', '@latest']);
    const { code, stderr } = await headframe.run(['results', '@latest', '-o', '/dev/full']);
    expect(code).toBe(1);
    expect(stderr).toContain('the disk is full');
    expect(stderr).toMatch(/headframe results diagnostics\/sleep\/\S+ -o FILE/);
    const nowhere = await headframe.run(['results', '@latest', '-o', '/no/such/folder/out.json']);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('was not written')]);
  });

  it('on a full standard output are a failure that is told', async () => {
    const { code, stderr } = await headframe.run(['results', '@latest'], {
      redirect: '> /dev/full',
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining('the disk is full')]);
  });

  it('of a job that goes on, or did not succeed, are none', async () => {
    const name = await longJob();
    const ongoing = await headframe.run(['results', name]);
    expect([ongoing.code, ongoing.stderr]).toEqual([2, expect.stringContaining('headframe wait')]);
    await headframe.run(['cancel', name]);
    await headframe.run(['wait', name]);
    const canceled = await headframe.run(['results', name, '--json']);
    expect([canceled.code, canceled.stdout]).toEqual([3, '']);
    expect(JSON.parse(canceled.stderr)).toMatchObject({
      error: { exit_code: 3, problem: { status: expect.any(Number) as number } },
    });
  });
});

describe('headframe list', () => {
  it('shows jobs by filter, as a table or as JSON', async () => {
    await headframe.run([...SLEEP, ...SHORT, '-l', 'shown=yes']);
    const { stdout } = await headframe.run(['list', '-l', 'shown=yes', '-s', 'succeeded']);
    const [title, row] = stdout.split('\n');
    expect(title).toMatch(/^ID +TASK +STATUS/);
    expect(row).toMatch(/^[0-9a-f-]{36} {2}diagnostics\/sleep +succeeded/);
    const none = await headframe.run(['list', '-t', 'geostatistics/idw', '--since', '1h']);
    expect([none.code, none.stdout]).toEqual([0, '']);
    expect(none.stderr).toContain('No jobs');
  });

  it('goes through pages as far as is asked', async () => {
    const { stdout } = await headframe.run(['list', '--limit', '3', '--json']);
    expect(JSON.parse(stdout)).toHaveLength(3);
  });

  it('refuses a filter that makes no sense before anything is sent', async () => {
    for (const words of [
      ['-s', 'done'],
      ['--since', 'yesterday'],
      ['--limit', 'many'],
    ]) {
      const { code, stderr } = await headframe.run(['list', ...words]);
      expect([words, code]).toEqual([words, 2]);
      expect(stderr).not.toBe('');
    }
  });
});

describe('headframe watch', () => {
  it('prints changes as they come, for machines a line of JSON each', async () => {
    const watching = headframe.start(['watch', '--json']);
    await expect.poll(() => watching.stderr()).toContain('Watching');
    const { stdout } = await headframe.run([...SLEEP, ...SHORT, '--detach']);
    const id = stdout.trim().split('/').at(-1) as string;
    await expect.poll(() => watching.stdout()).toMatch(new RegExp(`${id}.*succeeded`));
    watching.kill('SIGINT');
    expect((await watching.ended).code).toBe(0);
  });

  it('ends when nobody reads it any more', async () => {
    const watching = headframe.start(['list', '--watch']);
    await expect.poll(() => watching.stderr()).toContain('Watching');
    await headframe.run([...SLEEP, ...SHORT]);
    await expect.poll(() => watching.stdout()).not.toBe('');
    watching.hangUp();
    await headframe.run([...SLEEP, ...SHORT]);
    expect((await watching.ended).code).toBe(141);
  });
});

describe('headframe cancel', () => {
  it('wants names or a filter, and not both', async () => {
    for (const words of [['cancel'], ['cancel', '@latest', '-s', 'requested']]) {
      const { code } = await headframe.run(words);
      expect(code).toBe(2);
    }
  });

  it('by a filter only counts the jobs until it is told to do it', async () => {
    const name = await longJob();
    const words = ['cancel', '-s', 'in-progress', '-s', 'requested', '--json'];
    const counted = await headframe.run(words);
    expect(JSON.parse(counted.stdout)).toMatchObject({ matched: 1, changed: 0, dry_run: true });
    const done = await headframe.run([...words, '--yes']);
    expect(JSON.parse(done.stdout)).toMatchObject({ matched: 1, changed: 1, dry_run: false });
    expect((await headframe.run(['wait', name])).code).toBe(3);
  });
});

describe('headframe logs', () => {
  it('prints what the command of a job writes, while it does and after', async () => {
    await headframe.run(['run', 'test/process', '--detach']);
    const followed = await headframe.run(['logs', '@latest', '-f']);
    expect([followed.code, followed.stdout]).toEqual([0, 'one\ntwo\n']);
    const { stdout } = await headframe.run(['logs', '@latest', '--json']);
    const pieces = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; attempt: number });
    expect(pieces.map(({ text }) => text).join('')).toBe('one\ntwo\n');
  });
});

describe('headframe limits', () => {
  it('are for administrators: 5 for others', async () => {
    const { code, stderr } = await headframe.run(['limits']);
    expect([code, stderr]).toEqual([5, expect.stringContaining('compute:admin')]);
    const scope = 'compute:read compute:admin';
    const env = { HEADFRAME_TOKEN: await token(EXAMPLE_ORGANIZATION, { scope }) };
    const told = await headframe.run(['limits'], { env });
    expect(told.stdout).toMatch(/^running jobs +\d+ of any$/m);
  });
});

describe('tasks', () => {
  it('are listed, and told in detail', async () => {
    const list = await headframe.run(['tasks']);
    expect(list.stdout).toContain('geostatistics/kriging');
    const show = await headframe.run(['tasks', 'show', 'diagnostics/sleep']);
    expect(show.stdout).toMatch(/^seconds +number +required/m);
    const none = await headframe.run(['tasks', 'show', 'no/such']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('headframe tasks')]);
  });
});
