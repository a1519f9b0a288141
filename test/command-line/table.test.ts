import { describe, expect, it } from 'vitest';
import { fields, table } from '../../packages/cli/src/terminal/table.js';

const RED = '\x1b[31m';
const PLAIN = '\x1b[0m';

describe('a table', () => {
  it('has its columns under each other, whatever their colours', () => {
    expect(
      table(
        ['ID', 'STATE', ''],
        [
          ['1', `${RED}bad${PLAIN}`, 'x'],
          ['22', 'fine', 'y'],
        ],
        80,
      ),
    ).toBe(`ID  STATE\n1   ${RED}bad${PLAIN}    x\n22  fine   y\n`);
  });

  it('is cut at the edge of the terminal, and leaves no colour on', () => {
    const cut = table(['ID', 'STATE'], [['1234', `${RED}terrible${PLAIN}`]], 8);
    expect(cut).toBe(`ID    S…\n1234  ${RED}t${PLAIN}…\n`);
  });

  it('shows what others have written on one line, without control characters', () => {
    expect(table(['A'], [['x\ny\x1b[2Jz\x07\u009b1m']], 80)).toBe('A\nx y�[2Jz��1m\n');
  });
});

it('fields leave out what is not known', () => {
  expect(
    fields([
      ['a', '1'],
      ['long', null],
      ['bb', undefined],
      ['ccc', ''],
    ]),
  ).toBe('a  1\n');
});
