import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readParameters } from '../../packages/cli/src/parameters/parameters.reader.js';

const read = (sources: string[], before?: Record<string, unknown>) =>
  readParameters(sources, Readable.from([]), before);

describe('parameters on the command line', () => {
  it('are JSON where they can be, else text, and dots lead inside', async () => {
    expect(
      await read(['n=3', 'b=true', 't=soon', 'q="3"', 'a.b.c=null', 'a.b.d=[1,2]', 'e=', 'f=a=b']),
    ).toEqual({
      n: 3,
      b: true,
      t: 'soon',
      q: '3',
      e: '',
      f: 'a=b',
      a: { b: { c: null, d: [1, 2] } },
    });
  });

  it('lead into lists by their places, and to the one behind the last', async () => {
    const before = { list: [{ range: 1 }, { range: 2 }] };
    expect(await read(['list.1.range=5', 'list.2={"range": 3}'], before)).toEqual({
      list: [{ range: 1 }, { range: 5 }, { range: 3 }],
    });
    await expect(read(['list.4=1', 'list.9=1'], { list: [] })).rejects.toThrow('no place');
    await expect(read(['list.length=9'], { list: [] })).rejects.toThrow('no place');
  });

  it('are refused where the way leads through a number', async () => {
    await expect(read(['a=1', 'a.b=2'])).rejects.toThrow('neither an object nor a list');
  });

  it('never reach the prototype of anything, whatever they are called', async () => {
    await read(['__proto__.polluted=1', 'constructor.prototype.polluted=1']);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('__proto__', 'constructor', 'prototype', 'a'), { minLength: 1 }),
        async (steps) => {
          await read([`${steps.join('.')}=1`]).catch(() => undefined);
        },
      ),
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
