import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}docs/start-and-stop.md`, 'utf8');
const HOOKS = [
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
];

/** Classes of the service: their own text, and that of the file they are in. */
const classes = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('generated'))
  .flatMap((file) => {
    const whole = readFileSync(`${root}src/${file}`, 'utf8');
    return whole
      .split(/^(?=export class )/m)
      .slice(1)
      .map((text) => ({ name: /^export class (\w+)/.exec(text)?.[1] as string, text, whole }));
  });

/** `1_000` of `const EVERY_MS = 1_000;`, by the constant's name. */
const milliseconds = (text: string, constant: string): number =>
  Number(new RegExp(`const ${constant} = ([\\d_]+);`).exec(text)?.[1]?.replaceAll('_', '') ?? NaN);

const rowsBelow = (heading: string): string[][] =>
  (page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );

describe('docs/start-and-stop.md', () => {
  it('names every loop, where it is and how often it comes', () => {
    const loops = classes.flatMap(({ name, text, whole }) =>
      [
        ...text.matchAll(/@Interval\('([^']+)', (\w+)\)/g),
        ...text.matchAll(/addInterval\(\s*'([^']+)',\s*setInterval\([^;]*?(\w+)\),?\s*\);/g),
      ].map(([, loop, constant]) => {
        const every = milliseconds(whole, constant as string);
        return `${loop} ${name} ${every < 1_000 ? `${every} ms` : `${every / 1_000} s`}`;
      }),
    );
    const told = rowsBelow('Loops').map((cells) => cells.slice(0, 3).join(' '));
    expect(told.toSorted()).toEqual(loops.toSorted());
  });

  it('names every hook of a class', () => {
    const hooks = classes.flatMap(({ name, text }) =>
      HOOKS.filter((hook) => new RegExp(`^  (async )?${hook}\\(`, 'm').test(text)).map(
        (hook) => `${hook} ${name}`,
      ),
    );
    const told = [
      ...rowsBelow('Stop').flatMap(([hook, names]) =>
        (names as string).split(', ').map((name) => `${hook} ${name}`),
      ),
      ...[...page.matchAll(/`(\w+)` of `(\w+)`/g)].map(([, hook, name]) => `${hook} ${name}`),
    ];
    expect(told.toSorted()).toEqual(hooks.toSorted());
  });
});
