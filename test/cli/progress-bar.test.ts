import { beforeEach, describe, expect, it } from 'vitest';
import { ProgressBar } from '../../packages/cli/src/terminal/progress-bar.js';

let written: string[];
let clock: number;

beforeEach(() => {
  written = [];
  clock = 0;
});

function bar(terminal: { isTTY?: boolean; columns?: number }, env: Record<string, string> = {}) {
  const write = (text: string) => written.push(text);
  return new ProgressBar({ ...terminal, write }, env, () => clock);
}

/** What remains on a terminal's line. */
function line(): string {
  const all = written.join('');
  return all.slice(all.lastIndexOf('\x1b[2K') + 4);
}

describe('on a terminal', () => {
  it('redraws one line with bar, percent, message and seconds', () => {
    const progress = bar({ isTTY: true, columns: 100 });
    progress.update(0, 'waiting');
    clock = 1500;
    progress.update(50, 'half of it');
    expect(written.join('')).not.toContain('\n');
    expect(line()).toBe(
      `\x1b[36m${'█'.repeat(14)}${'░'.repeat(14)}  50%  \x1b[39mhalf of it  1.5 s`,
    );
    progress.finish('done');
    expect(line()).toBe('done (1.5 s)\n');
  });

  it('keeps the bar equally long at every percent', () => {
    const progress = bar({ isTTY: true, columns: 100 }, { NO_COLOR: '1' });
    for (let percent = 0; percent <= 100; percent += 1) {
      progress.update(percent, '');
      expect(line().indexOf('%')).toBe(28 + 4);
    }
  });

  it('uses no colour when asked so', () => {
    const progress = bar({ isTTY: true }, { NO_COLOR: '1' });
    progress.update(10, 'plain');
    expect(line()).not.toContain('\x1b');
  });

  it('shortens a message that would wrap the line', () => {
    const progress = bar({ isTTY: true, columns: 60 }, { NO_COLOR: '1' });
    progress.update(10, 'a message that is much too long for so narrow a terminal');
    expect(line()).toHaveLength(59);
    expect(line()).toContain('…');
  });

  it('shows no bar while nobody can tell how far it is', () => {
    const progress = bar({ isTTY: true });
    clock = 300;
    progress.update(null, 'Starting');
    expect(line()).toBe('Starting … 0.3 s');
  });
});

describe('elsewhere', () => {
  it.each([
    ['a pipe', {}, {}],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }],
    ['a CI log', { isTTY: true }, { CI: 'true' }],
  ])('writes plain lines, and only when there is news: %s', (_name, terminal, env) => {
    const progress = bar(terminal, env);
    progress.update(null, 'Starting');
    progress.update(null, 'Starting');
    progress.update(0, 'in progress');
    clock = 100;
    progress.update(0, 'in progress');
    progress.update(40, 'on its way');
    clock = 2000;
    progress.finish('succeeded');
    expect(written).toEqual([
      'Starting …\n',
      '  0%  in progress\n',
      ' 40%  on its way\n',
      'succeeded (2.0 s)\n',
    ]);
  });

  it('writes no more often than wanted, but what has no percent at once', () => {
    const write = (text: string) => written.push(text);
    const progress = new ProgressBar({ write }, {}, () => clock, 5_000);
    for (let percent = 0; percent <= 100; percent += 1) {
      clock = percent * 100;
      progress.update(percent, 'on its way');
    }
    progress.update(null, 'canceling');
    expect(written).toEqual([
      '  0%  on its way\n',
      ' 50%  on its way\n',
      '100%  on its way\n',
      'canceling …\n',
    ]);
  });
});
