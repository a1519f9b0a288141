import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyBudget, type Reservation } from '../../src/platform/http/body/body-budget.js';

const KIB = 1024;

describe('the budget of bodies', () => {
  it('refuses an organization that has its share with 429, and lets others in', () => {
    const budget = new BodyBudget(8_000 * KIB, 1_000 * KIB);
    budget.reserve('one', 900 * KIB);
    expect(() => budget.reserve('one', 200 * KIB)).toThrow(
      expect.objectContaining({ slug: 'too-many-requests' }),
    );
    expect(() => budget.reserve('other', 1_000 * KIB)).not.toThrow();
  });

  it('keeps an eighth for small bodies, and refuses the rest with 503', () => {
    const budget = new BodyBudget(800 * KIB, 800 * KIB);
    budget.reserve('one', 700 * KIB);
    expect(() => budget.reserve('other', 65 * KIB)).toThrow(
      expect.objectContaining({ slug: 'unavailable', status: 503 }),
    );
    expect(() => budget.reserve('other', 64 * KIB)).not.toThrow();
  });

  it('takes the largest body when nothing else is there', () => {
    expect(() => new BodyBudget(800 * KIB, 800 * KIB).reserve('one', 800 * KIB)).not.toThrow();
  });

  it('never passes either bound, and is empty when all has been given back, in any order', () => {
    const step = fc.record({
      org: fc.constantFrom('a', 'b', 'c'),
      bytes: fc.nat(900 * KIB),
      act: fc.constantFrom('reserve', 'grow', 'release', 'release'),
      which: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new BodyBudget(2_000 * KIB, 1_000 * KIB);
        const open: Reservation[] = [];
        for (const { org, bytes, act, which } of steps) {
          const one = open[which % Math.max(1, open.length)];
          try {
            if (act === 'reserve') {
              open.push(budget.reserve(org, bytes));
            } else if (act === 'grow') {
              one?.grow(bytes);
            } else {
              one?.release();
            }
          } catch {
            // Refused: what is held stays as it was.
          }
          expect(budget.bytes).toBeLessThanOrEqual(2_000 * KIB);
        }
        open.forEach((one) => one.release());
        expect(budget.bytes).toBe(0);
        expect(() => budget.reserve('a', 1_000 * KIB)).not.toThrow();
      }),
    );
  });
});
