import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from '../../scripts/mutants/catalogue.mjs';
import { edited, extentOf } from '../../scripts/mutants/places.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The text in which a mutant is put. */
function textOf(place: (typeof MUTANTS)[number]['place']): string {
  const { file, start, end } = extentOf(root, place);
  return readFileSync(root + file, 'utf8').slice(start, end);
}

describe('mutants', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s: fits the code, and would fit it spaced otherwise',
    (_, { place, edits }) => {
      const text = textOf(place);
      expect(edited(text, edits)).not.toBe(text);
      expect(() => edited(text.replace(/\s+/g, ' '), edits)).not.toThrow();
      expect(() => edited(text.replace(/\s+/g, '\n\t\t'), edits)).not.toThrow();
    },
  );

  it('stops at words that are not there, or there twice', () => {
    expect(() => edited('UPDATE jobs', [['DELETE', '']])).toThrow(/0 times, not once:\nDELETE/);
    expect(() => edited('a = b AND a=b', [['a = b', '']])).toThrow(/2 times, not once/);
  });

  it('stops at a place that is nowhere', () => {
    expect(() => extentOf(root, { statement: 'no-such-statement' })).toThrow(/0 times, not once/);
    expect(() => extentOf(root, { sql: 'no_such_function' })).toThrow(/No migration makes/);
  });
});
