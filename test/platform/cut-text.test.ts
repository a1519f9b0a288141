import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttemptLog } from '../../src/compute/runners/process/output/attempt-log.js';
import { storableMessage } from '../../src/compute/runners/job-message.js';
import { keptProblem } from '../../src/compute/task.problem.js';
import { placeOf } from '../../src/platform/http/body/i-json.js';
import { cutText, cutUtf8 } from '../../src/platform/text/cut-text.js';

/** Text of characters of one to four bytes, none of which is U+FFFD. */
const text = fc
  .array(fc.constantFrom('a', 'é', '€', '\u{1F600}', '\u{10FFFF}', '\u0301'), { maxLength: 80 })
  .map((characters) => characters.join(''));

const expectCut = (cut: string, whole: string): void => {
  expect(whole.startsWith(cut)).toBe(true);
  expect(cut.isWellFormed()).toBe(true);
};

describe('a cut', () => {
  it('of a text comes between two characters, as late as it may', () => {
    fc.assert(
      fc.property(text, fc.nat(100), (whole, most) => {
        const cut = cutText(whole, most);
        expectCut(cut, whole);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(most - 1, whole.length));
      }),
    );
  });

  it('of UTF-8 comes between two characters, as late as it may', () => {
    fc.assert(
      fc.property(text, fc.nat(200), (whole, most) => {
        const cut = cutUtf8(Buffer.from(whole), most);
        expectCut(cut, whole);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(most);
        expect(Buffer.byteLength(cut)).toBeGreaterThanOrEqual(
          Math.min(most - 3, Buffer.byteLength(whole)),
        );
      }),
    );
  });

  it('of bytes that are no UTF-8 ends', () => {
    expect(cutUtf8(Buffer.alloc(20, 0x80), 10)).toBe('\uFFFD'.repeat(10));
  });

  it('of messages, problems and places leaves whole characters', () => {
    fc.assert(
      fc.property(text, fc.nat(3), (end, shift) => {
        const whole = `${'x'.repeat(shift)}${end}`.repeat(200);
        expectCut(storableMessage(whole), whole);
        const { title, detail } = keptProblem({ status: 422, title: whole, detail: whole });
        expectCut(title, whole);
        expectCut(detail, whole);
        expect(placeOf([whole])).not.toContain('\uFFFD');
      }),
    );
  });

  it('of a log, at its beginning and between its pieces, leaves whole characters', () => {
    for (const shift of ['', 'x', 'xx']) {
      const log = new AttemptLog({ jobId: '', leaseId: '' });
      log.append(`${shift}${'\u{1F600}'.repeat(600_000)}`);
      for (let next = log.next(); next !== null; next = log.next()) {
        for (const piece of next.pieces) {
          expect(piece.text.isWellFormed()).toBe(true);
        }
        log.stored(next);
      }
    }
  });
});
