import { describe, expect, it } from 'vitest';
import { CliError } from '../../packages/cli/src/cli-error.js';
import {
  readSamples,
  type SampleColumns,
} from '../../packages/cli/src/parameters/samples.reader.js';

const ANY: SampleColumns = { attributes: [], skipEmpty: false };

function read(text: string | Uint8Array, columns: Partial<SampleColumns> = {}) {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return readSamples(bytes, 'samples.csv', { ...ANY, ...columns }).source;
}

/** What is said about a table that is refused. */
function refusal(text: string | Uint8Array, columns: Partial<SampleColumns> = {}): string {
  try {
    read(text, columns);
  } catch (error) {
    if (error instanceof CliError) return `${error.message}\n${error.hint}`;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('samples of a table', () => {
  it('are found by usual titles, whatever separates the columns', () => {
    const expected = {
      coordinates: [
        [1, 2],
        [3, 4.5],
      ],
      values: [10, -0.002],
    };
    expect(read('x,y,zinc\n1,2,10\n3,4.5,-2e-3\n')).toEqual(expected);
    expect(read('Easting;Northing;grade\r\n1;2;10\r\n3;4.5;-2e-3\r\n')).toEqual(expected);
    expect(read('"X"\t"Y"\t"value"\n1\t2\t10\n3\t4.5\t-2e-3')).toEqual(expected);
    expect(read('\ufeffx,y,zinc\n1,2,10\n\n3,4.5,-2e-3\n\n')).toEqual(expected);
  });

  it('are three-dimensional with a column z, and only then', () => {
    expect(read('x,y,z,grade\n1,2,3,4\n').coordinates).toEqual([[1, 2, 3]]);
    expect(read('x,y,elev,grade\n1,2,3,4\n').coordinates).toEqual([[1, 2]]);
    expect(read('x,y,elev,grade\n1,2,3,4\n', { z: 'elev' }).coordinates).toEqual([[1, 2, 3]]);
  });

  it('have the attributes that are asked for: numbers, or texts when one is no number', () => {
    const { attributes } = read('x,y,au,rock,dip\n1,2,3,"oxide, weathered",\n4,5,6,7,8\n', {
      values: 'au',
      attributes: ['rock', 'dip'],
    });
    expect(attributes).toEqual({ rock: ['oxide, weathered', '7'], dip: [null, 8] });
  });

  it('may lack values when those rows are to be left out', () => {
    const table = 'x,y,au\n1,2,\n3,4,5\n';
    expect(read(table, { skipEmpty: true }).values).toEqual([5]);
    expect(refusal(table)).toContain('row 2, column "au": empty');
  });
});

describe('a table that is refused, with row and column', () => {
  const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
  it.each([
    ['no columns of coordinates', 'a,b,c\n1,2,3\n', 'looks like x: it has a, b, c', '--x'],
    ['several that may be the values', 'x,y,a,b\n1,2,3,4\n', 'a, b', '--values a'],
    ['no values', 'x,y\n1,2\n', 'no column of values', '--values'],
    ['a text for a number', 'x,y,v\n1,2,3\n1,n/a,3\n', 'row 3, column "y": "n/a"', 'Numbers'],
    ['a decimal comma', 'x;y;v\n1;2;3\n1;2,5;3\n', 'row 3, column "y": "2,5"', 'Decimal commas'],
    ['hexadecimal', 'x,y,v\n0x10,2,3\n', 'row 2, column "x": "0x10"', 'Numbers'],
    ['too few fields', 'x,y,v\n1,2,3\n1,2\n', 'row 3: 2 fields where the header has 3', 'quotes'],
    ['too many fields', 'x,y,v\n1,2,3,4\n', 'row 2: 4 fields', 'quotes'],
    ['quotes that do not end', 'x,y,v\n1,2,"3\n4,5,6\n', 'row 2, column 3: quotes', 'doubled'],
    ['a row behind a field of two lines', 'x,y,v\n1,2,"a\nb"\n', 'row 2, column "v"', 'Numbers'],
    ['two columns of one name', 'x,y,v,v\n1,2,3,4\n', 'called "v"', 'Rename'],
    ['no rows', 'x,y,v\n', 'no samples', 'row'],
    ['nothing', '', 'is empty', 'columns'],
    ['zero bytes', 'x,y,v\n1,2,\0\n', 'row 2: a character NUL', 'CSV UTF-8'],
    [
      'Windows-1252',
      latin1('x,y,v,name\n1,2,3,ok\n1,2,3,Läufer\n'),
      'row 3, column 4',
      'iconv -f WINDOWS-1252',
    ],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x78, 0x00]), 'UTF-16', 'iconv -f UTF-16'],
  ])('%s', (_, table, message, advice) => {
    const told = refusal(table, message.includes('row 3, column 4') ? { values: 'v' } : {});
    expect(told).toContain(message);
    expect(told).toContain(advice);
  });

  it('a column that is named and not there', () => {
    expect(refusal('x,y,v\n1,2,3\n', { values: 'V' })).toContain('no column "V": it has x, y, v');
  });
});
