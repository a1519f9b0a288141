import { describe, expect, it } from 'vitest';
import idw from '../../src/tasks/geostatistics/idw/idw.task.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { mistakes, runTask } from './task-run.js';

const { block_discretisation: _, ...example } = kriging.example as typeof kriging.example & {
  block_discretisation?: object | null;
  block_discretization?: object | null;
};
const points = { coordinates: [[30, 30]] };
const parts = { nx: 2, ny: 3 };

describe('block_discretization', () => {
  it('is another spelling of block_discretisation', async () => {
    const one = await runTask(kriging, { ...example, block_discretisation: parts });
    const other = await runTask(kriging, { ...example, block_discretization: parts });
    const centre = await runTask(kriging, example);
    expect(other.target).toEqual(one.target);
    expect(other.target).not.toEqual(centre.target);
  });

  it('may stand beside the other spelling when both say the same', () => {
    const both = (other: object) =>
      mistakes(kriging, { ...example, block_discretisation: parts, block_discretization: other });
    expect(both({ nx: 2, ny: 3, nz: 1 })).toEqual([]);
    expect(both({ nx: 2, ny: 4 })).toEqual([
      'block_discretization: Expected the same as block_discretisation, or only one of the two spellings',
    ]);
  });

  it('of one part is an estimate at points, and null is none', async () => {
    const at = (given: object | null) =>
      runTask(kriging, { ...example, target: points, block_discretization: given });
    const { target } = await runTask(kriging, { ...example, target: points });
    expect((await at({ nx: 1, ny: 1, nz: 1 })).target).toEqual(target);
    expect((await at(null)).target).toEqual(target);
  });

  it('is refused where there is no cell to divide, in the spelling that was given', () => {
    for (const spelling of ['block_discretisation', 'block_discretization']) {
      expect(mistakes(kriging, { ...example, target: points, [spelling]: parts })).toEqual([
        `${spelling}: Only the cells of target.grid can be discretised`,
      ]);
      expect(mistakes(kriging, { ...example, [spelling]: { nz: 2 } })).toEqual([
        `${spelling}.nz: Expected 1 for a 2-D grid`,
      ]);
      expect(mistakes(kriging, { ...example, [spelling]: { nx: 10 } })[0]).toMatch(
        new RegExp(`^${spelling}.nx: `),
      );
    }
  });
});

describe('limits by drillhole', () => {
  it.each(['max_samples_per_drillhole', 'max_drillholes_per_estimate'])(
    '%s is refused with the reason, and null is none',
    (limit) => {
      for (const task of [kriging, idw]) {
        const { neighborhood } = task.example;
        const found = (value: unknown) =>
          mistakes(task, { ...task.example, neighborhood: { ...neighborhood, [limit]: value } });
        for (const value of [3, 0, 'a']) {
          expect(found(value)).toEqual([
            `neighborhood.${limit}: Samples do not name their drillholes here: leave this limit out`,
          ]);
        }
        expect(found(null)).toEqual([]);
      }
    },
  );
});
