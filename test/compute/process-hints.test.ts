import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failure, ProcessRuns } from '../support/process-runs.js';

const EMOJI = '\u{1F600}';

let runs: ProcessRuns;
beforeAll(async () => {
  runs = await ProcessRuns.open();
});
afterAll(() => runs?.close());

/** Prints a text as it is. */
const print = (text: string): string => `cat <<'END'\n${text}\nEND`;

describe('what a command should not write, and is told how to mend', () => {
  it.each([
    ['indented', '{\n  "results": {\n    "a": 1\n  }\n}'],
    ['broken behind the name', '{"results": {\n  "a": 1}}'],
    ['with a raw line break in a text', '{"results": {"a": "b\nc"}}'],
  ])('is JSON over several lines: %s', async (_how, text) => {
    const { outcome } = await runs.run(print(text));
    expect(outcome).toEqual(failure('invalid-results', /must stand whole in one line/));
  });

  it('is a byte order mark: it is passed over, and told', async () => {
    const { outcome, log } = await runs.run(print('\uFEFF{"results": {"a": 1}}'));
    expect(outcome).toMatchObject({ kind: 'succeeded', results: '{"a":1}' });
    expect(log).toContain('byte order mark (BOM)');
  });

  it('is UTF-16', async () => {
    const { outcome, log } = await runs.run(String.raw`printf '\377\376{\000"\000}\000\n\000'`);
    expect(outcome).toEqual(failure('invalid-results', /without results/));
    expect(log).toContain('write UTF-8, not UTF-16');
  });

  it('is nothing at all, though it failed', async () => {
    const { outcome, log } = await runs.run('exit 7');
    expect(outcome).toEqual(
      failure('task-failed', /exit code 7 and wrote nothing to standard error, .* let it say/),
    );
    expect(log).toBe('');
    const said = await runs.run('echo no ore >&2; exit 7');
    expect(said.outcome).toEqual(failure('task-failed', /exit code 7: the log of the job says/));
    const killed = await runs.run('kill -KILL $$');
    expect(killed.outcome).toEqual(failure('task-failed', /SIGKILL.*wrote nothing/));
  });

  it('is nothing at all, though it ended well', async () => {
    const { outcome } = await runs.run('true');
    expect(outcome).toEqual(failure('invalid-results', /it wrote nothing at all, so let it write/));
  });

  it('is results that are good behind some that were not: the last count', async () => {
    const { outcome } = await runs.run(print('{"results": {"a": NaN}}\n{"results": {"a": 2}}'));
    expect(outcome).toMatchObject({ kind: 'succeeded', results: '{"a":2}' });
  });

  it('is a problem or a message whose cut would split a character', async () => {
    const problem = {
      status: 422,
      title: `${'t'.repeat(199)}${EMOJI}`,
      detail: EMOJI.repeat(2_500),
    };
    expect((await runs.run(print(JSON.stringify({ problem })))).outcome).toMatchObject({
      problem: { title: 't'.repeat(199), detail: EMOJI.repeat(2_000) },
    });
    const results = { message: `${'m'.repeat(999)}${EMOJI}` };
    expect((await runs.run(print(JSON.stringify({ results })))).outcome).toMatchObject({
      kind: 'succeeded',
      message: 'm'.repeat(999),
    });
  });

  it('is a line that the log shows in part: no character is split', async () => {
    for (const before of ['', 'x', 'xx', 'xxx']) {
      const { log } = await runs.run(print(before + EMOJI.repeat(100)));
      expect(log).not.toContain('\uFFFD');
      expect(log).toMatch(/object: x*(\u{1F600}){49,50}\n/u);
    }
  });

  it('is a log whose writes end within a character: it is put together again', async () => {
    const { log } = await runs.run(
      String.raw`printf 'a\360\237' >&2; sleep 0.1; printf '\230\200b\n' >&2; echo '{"results": {}}'`,
    );
    expect(log).toBe(`a${EMOJI}b\n`);
  });
});

describe('a script that cannot be started as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-scripts-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['crlf', '#!/bin/sh\r\necho x\r\n', /carriage return \(CRLF\)/],
    ['env-crlf', '#!/usr/bin/env sh\r\necho x\r\n', /carriage return \(CRLF\)/],
    ['no-interpreter', '#!/no/such/python\nprint(1)\n', /interpreter .* is not there/],
    ['mark', '\uFEFF#!/bin/sh\nexit 1\n', /byte order mark/],
    ['missing', '#!/bin/sh\nexec no-such-command\n', /something that it calls was not found/],
  ])('says why: %s', async (name, text, hint) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o755 });
    const { outcome } = await runs.run('', { command: [file] });
    expect(outcome).toEqual(failure('task-failed', hint));
    expect(JSON.stringify(outcome)).not.toContain(folder);
  });

  it('says why also when a shell is given the script', async () => {
    const file = join(folder, 'given');
    writeFileSync(file, '#!/bin/sh\r\nset -e\r\nexit 3\r\n');
    const { outcome } = await runs.run('', { command: ['/bin/sh', file] });
    expect(outcome).toEqual(failure('task-failed', /CRLF/));
  });
});
