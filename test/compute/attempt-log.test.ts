import { describe, expect, it } from 'vitest';
import { AttemptLog } from '../../src/compute/runners/process/output/attempt-log.js';
import { type LogPiece, MAX_PIECE } from '../../src/jobs/logs/logs.store.js';

const begin = () => new AttemptLog({ jobId: 'job', leaseId: 'lease' });

/** Takes all that is waiting, as a database would that is never away. */
function takeAll(log: AttemptLog): LogPiece[] {
  const taken: LogPiece[] = [];
  for (let next = log.next(); next !== null; next = log.next()) {
    taken.push(...next.pieces);
    log.stored(next);
  }
  return taken;
}

describe('the log of an attempt', () => {
  it('gives what came since as numbered pieces', () => {
    const log = begin();
    expect(log.next()).toBeNull();
    log.append('one\n');
    log.append('two\n');
    expect(takeAll(log)).toEqual([{ number: 1, text: 'one\ntwo\n' }]);
    log.append('three\n');
    expect(takeAll(log)).toEqual([{ number: 2, text: 'three\n' }]);
  });

  it('gives the same pieces again until they are stored', () => {
    const log = begin();
    log.append('one\n');
    const first = log.next()!;
    log.append('two\n');
    expect(log.next()).toEqual(first);
    log.stored(first);
    const second = log.next()!;
    expect(second.pieces).toEqual([{ number: 2, text: 'two\n' }]);
    // The answer to the first comes twice.
    log.stored(first);
    expect(log.next()).toEqual(second);
  });

  it('cuts behind a line where it can, and never within a character', () => {
    const log = begin();
    log.append(`${'x'.repeat(10_000)}\n${'y'.repeat(10_000)}\n`);
    expect(takeAll(log).map(({ text }) => text.length)).toEqual([10_001, 10_001]);
    log.append(`z${'\u{1f5ff}'.repeat(MAX_PIECE)}`);
    const texts = takeAll(log).map(({ text }) => text);
    expect(texts.every((text) => text.isWellFormed() && text.length <= MAX_PIECE)).toBe(true);
    expect(texts.join('')).toBe(`z${'\u{1f5ff}'.repeat(MAX_PIECE)}`);
  });

  it('lets the oldest pieces go when it has more than a mebibyte', () => {
    const log = begin();
    for (let line = 1; line <= 100; line += 1) {
      log.append(`${'x'.repeat(MAX_PIECE - 1)}\n`);
      takeAll(log);
    }
    log.append('last\n');
    expect(log.next()).toMatchObject({ pieces: [{ number: 101 }], keepFrom: 38 });
  });

  it('drops what waits too long, and says how much', () => {
    const log = begin();
    for (let line = 0; line < 200_000; line += 1) {
      log.append('0123456789\n');
    }
    const text = takeAll(log)
      .map((piece) => piece.text)
      .join('');
    const dropped = Number(
      /^\[headframe\] (\d+) characters of the log were dropped here\n/.exec(text)?.[1],
    );
    expect(dropped).toBe(200_000 * 11 - (1024 * 1024 - MAX_PIECE));
    expect(text.length).toBeLessThanOrEqual(1024 * 1024);
  });
});
