import { describe, expect, it } from 'vitest';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import { mistakes, runTask } from './task-run.js';

const { nugget, structures } = kriging.example.variogram;
const sill = 0.65;
const found = (members: object) =>
  mistakes(kriging, {
    ...kriging.example,
    variogram: { ...kriging.example.variogram, ...members },
  });

describe('a variogram model as an object store keeps it', () => {
  it('is the same model', async () => {
    const variogram = {
      nugget: nugget!,
      structures,
      sill: sill * (1 + 1e-9),
      data_variance: sill,
      is_rotation_fixed: true,
      modelling_space: 'data' as const,
      domain: 'ore',
      attribute: 'grade',
    };
    const { target } = await runTask(kriging, { ...kriging.example, variogram });
    expect(target).toEqual((await runTask(kriging, kriging.example)).target);
  });

  it('has no nugget when it names none, and null is none', async () => {
    const without = await runTask(kriging, { ...kriging.example, variogram: { structures } });
    const zero = await runTask(kriging, {
      ...kriging.example,
      variogram: { structures, nugget: 0 },
    });
    expect(without.target).toEqual(zero.target);
    expect(found({ sill: null, data_variance: null, modelling_space: null, domain: null })).toEqual(
      [],
    );
  });

  it.each([
    [{ sill: sill * 1.001 }, 'variogram.sill: Expected the nugget and the contributions together'],
    [{ sill: 0 }, 'variogram.sill: Expected the nugget'],
    [{ data_variance: 2 }, 'variogram.data_variance: Expected the sill, or nothing'],
    [{ modelling_space: 'normalscore' }, 'variogram.modelling_space: Expected data'],
    [{ name: 'v' }, 'variogram: '],
  ])('is refused with %j, which would change the estimates', (members, message) => {
    const [first, ...others] = found(members);
    expect(first?.startsWith(message), first).toBe(true);
    expect(others).toEqual([]);
  });
});
