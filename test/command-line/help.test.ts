import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../packages/cli/src/exit-code.js';
import { programOf } from '../../packages/cli/src/program.js';
import { completions } from '../../packages/cli/src/completion/completions.js';
import { SCRIPTS } from '../../packages/cli/src/completion/scripts.js';
import type { Surroundings } from '../../packages/cli/src/surroundings.js';
import { CommandLine } from '../support/command-line.js';

const headframe = new CommandLine();
afterAll(() => headframe.remove());

const program = programOf({
  surroundings: { version: '0.0.0' } as Surroundings,
  end: () => undefined,
});
const commands = program.commands.flatMap((each) => [each, ...each.commands]);
const nameOf = (command: ReturnType<typeof programOf>): string =>
  command.parent === null || command.parent === program
    ? command.name()
    : `${command.parent.name()} ${command.name()}`;

describe('the help of each command', () => {
  const visible = commands.filter((each) => !['complete', 'help'].includes(each.name()));

  it.each(visible.map((each) => [nameOf(each)]))(
    'has examples that it understands: %s',
    async (name) => {
      const { code, stdout, stderr } = await headframe.run([...name.split(' '), '--help']);
      expect([code, stderr]).toEqual([0, '']);
      const examples = [...stdout.matchAll(/^ {2}\$ (.*?) +#/gm)].map(([, line]) => line as string);
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        const [, words = ''] = /headframe ([^|<>)]*)/.exec(example) ?? [];
        expect(words.startsWith(name)).toBe(true);
        const options = [...words.matchAll(/(?<= )--?[a-z-]+/g)].map(([option]) => option);
        for (const option of options) {
          expect([example, stdout]).toEqual([example, expect.stringContaining(option)]);
        }
      }
    },
  );

  it('tells the exit codes', async () => {
    const { stdout } = await headframe.run(['--help']);
    expect(stdout).toContain('4 waited too long');
  });
});

describe('docs/cli.md', () => {
  const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

  it('has each command, and no other', () => {
    const rows = [...page.matchAll(/^\| `([a-z ]+)` \|/gm)].map(([, name]) => name);
    const names = commands.filter((each) => each.name() !== 'complete').map(nameOf);
    expect(new Set(rows)).toEqual(new Set(names));
  });

  it('has each exit code, and no other', () => {
    const rows = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(EXIT));
  });

  it('names options that there are', () => {
    const known = new Set(
      [program, ...commands].flatMap((each) =>
        each.options.flatMap(({ long, short }) => [long, short]),
      ),
    );
    const used = [...page.matchAll(/headframe[^\n#`|]*/g)].flatMap(([line]) =>
      [...line.matchAll(/(?<= )--?[a-z][a-z-]*/g)].map(([option]) => option),
    );
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter((option) => !known.has(option) && option !== '--help')).toEqual([]);
  });
});

describe('completion', () => {
  const propose = (line: string) =>
    completions(program, line.split(' '), async () => ['a/b', 'a/c']);

  it.each([
    ['ru', ['run']],
    ['tasks ', ['show']],
    ['tasks show ', ['a/b', 'a/c']],
    ['run a', ['a/b', 'a/c']],
    ['run a/b ', []],
    ['wait @', ['@latest']],
    ['cancel @latest @', ['@latest']],
    ['run --det', ['--detach']],
    ['run --prof', ['--profile']],
    ['completion z', ['zsh']],
  ])('of "%s"', async (line, expected) => {
    expect(await propose(line)).toEqual(expected);
  });

  it('by the hidden command that the scripts ask, and without a service', async () => {
    const { code, stdout } = await headframe.run(['complete', '--', 'li']);
    expect([code, stdout]).toEqual([0, 'list\nlimits\n']);
    for (const shell of Object.keys(SCRIPTS)) {
      const script = await headframe.run(['completion', shell]);
      expect(script.stdout).toContain('headframe complete --');
    }
  });
});
