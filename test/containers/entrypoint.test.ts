import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../deploy/entrypoint.sh', import.meta.url));
/** Quotes, blanks, line ends and what a shell would expand. */
const SECRET = `canary-'one' "two" $(three) \`four\` $five\nsix \\ seven`;

describe.runIf(process.platform === 'linux')('the first process of a container', () => {
  const run = (...command: string[]) =>
    spawnSync('/bin/sh', [SCRIPT, ...command], {
      env: { PATH: process.env.PATH, SECRET },
      encoding: 'utf8',
    });

  it('gives the program its environment as it was, and shows none of it itself', () => {
    const { status, stdout } = run(
      process.execPath,
      '-e',
      `const read = (file) => require('node:fs').readFileSync('/proc/' + process.ppid + '/' + file, 'latin1');
       console.log(JSON.stringify({ own: process.env.SECRET, shown: read('environ') + read('cmdline') }))`,
    );
    expect(status).toBe(0);
    const { own, shown } = JSON.parse(stdout) as { own: string; shown: string };
    expect(own).toBe(SECRET);
    expect(shown).toContain('--settings-in-pipe');
    expect(shown.match(/PATH=/g)).toHaveLength(1);
    // The program's own text names it, of course.
    expect(shown).not.toContain('canary');
  });

  it('ends as the program ends', () => {
    expect(run('/bin/sh', '-c', 'exit 7').status).toBe(7);
    expect(run('/no/such/program').status).toBe(127);
  });

  it('passes SIGTERM on, and waits for what the program still does', async () => {
    const child = spawn(
      '/bin/sh',
      [
        SCRIPT,
        '/bin/sh',
        '-c',
        `trap 'echo heard; exit 3' TERM; echo ready; while :; do sleep 0.05; done`,
      ],
      { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await expect.poll(() => output).toContain('ready');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(3);
    expect(output).toContain('heard');
  });
});
