import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runManifest } from '../support/process-tasks.js';

const FOLDER = fileURLToPath(new URL('../../examples/tasks/assays/summary', import.meta.url));

describe('the summary example', () => {
  it('summarizes a column', () => {
    const { results, progress } = runManifest(FOLDER, {
      csv: 'hole,au\nA,4\nA,1\nB,3\nB,2\nB,\nB,below\n',
      column: 'au',
    });
    expect(results).toEqual({
      message: '4 samples, mean 2.5',
      count: 4,
      missing: 2,
      mean: 2.5,
      deviation: expect.closeTo(Math.sqrt(1.25), 9),
      quantiles: { min: 1, q25: 1, median: 2, q75: 3, p95: 4, max: 4 },
    });
    expect(progress).toEqual([20, 60]);
  });

  it('weights by length, and takes lines as Windows ends them', () => {
    const { results } = runManifest(FOLDER, {
      csv: 'au,length\r\n1,3\r\n5,1\r\n9,0\r\n',
      column: 'au',
      weights: 'length',
    });
    expect(results).toMatchObject({ count: 2, missing: 1, mean: 2, quantiles: { median: 1 } });
  });

  it('is not misled by text that looks like JSON, nor by its escapes', () => {
    const { results } = runManifest(FOLDER, {
      csv: 'note,au\n{"column": "x"},1\nback\\slash\u00e9\t,3\n',
      column: 'au',
    });
    expect(results).toMatchObject({ count: 2, missing: 0, mean: 2 });
  });

  it.each([
    ['no-such-column', { csv: 'a,b\n1,2\n', column: 'c' }],
    ['no-values', { csv: 'a,b\n,2\n', column: 'a' }],
  ])('says %s', (slug, parameters) => {
    expect(runManifest(FOLDER, parameters).problem).toMatchObject({ status: 422, slug });
  });
});
