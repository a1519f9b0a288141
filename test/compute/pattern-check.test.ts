import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { patternFault } from '../../src/compute/schema/pattern-check.js';

const DOCUMENT = new URL('../../docs/openapi.json', import.meta.url);

/** Every `pattern` of the document, those of the tasks that come with the service included. */
function patternsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  return Object.entries(node).flatMap(([key, child]) =>
    key === 'pattern' && typeof child === 'string' ? [child] : patternsIn(child),
  );
}

describe('the check of patterns', () => {
  it('has nothing against those that the service itself publishes', () => {
    // All but zod's own for a date and time: it has one repetition, and takes seconds to prove.
    const patterns = new Set(
      patternsIn(JSON.parse(readFileSync(DOCUMENT, 'utf8'))).filter(({ length }) => length < 200),
    );
    expect(patterns.size).toBeGreaterThan(2);
    expect([...patterns].map(patternFault).filter((fault) => fault !== null)).toEqual([]);
  });

  it('refuses what takes hours on forty characters, and says how to mend it', () => {
    expect(patternFault('^(a+)+$')).toBe(
      'the pattern ^(a+)+$ takes time that grows faster than the text (exponential): ' +
        'let no two repetitions match the same text, begin it with ^',
    );
  });
});
