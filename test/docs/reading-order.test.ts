import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}docs/reading-order.md`, 'utf8');

/** The numbered entries below a heading. */
const entriesOf = (heading: string): string[] =>
  (page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '').split(/^\d+\. /m).slice(1);

describe('docs/reading-order.md', () => {
  it.each([
    ['A job in ten files', 10],
    ['A cancel in five', 5],
  ])('%s: names a function of each file', (heading, count) => {
    const entries = entriesOf(heading);
    expect(entries).toHaveLength(count);
    for (const entry of entries) {
      const file = /^\[([\w./-]+)\]/.exec(entry)?.[1] as string;
      const text = readFileSync(root + file, 'utf8');
      const paragraph = entry.split('\n\n')[0] as string;
      const functions = [...paragraph.matchAll(/`(\w+)\(\)`/g)].map(([, name]) => name as string);
      expect(functions).not.toHaveLength(0);
      for (const name of functions) {
        expect(text, `${name} in ${file}`).toMatch(
          new RegExp(`^(export )?( {2})?(async )?(function )?${name}\\(`, 'm'),
        );
      }
    }
  });
});
