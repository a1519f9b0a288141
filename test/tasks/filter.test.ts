import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readyFilter } from '../../src/tasks/geostatistics/samples/filter-evaluation.js';
import type { Expression, Filter } from '../../src/tasks/geostatistics/samples/filter.schema.js';
import idw from '../../src/tasks/geostatistics/idw/idw.task.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import variogram from '../../src/tasks/geostatistics/variogram/variogram.task.js';
import { mistakes, runTask } from './task-run.js';

const sphere = (radius: number) => ({
  ellipsoid_ranges: { major: radius, semi_major: radius, minor: radius },
});
const source = {
  coordinates: [
    [0, 0],
    [10, 0],
    [0, 10],
    [10, 10],
    [5, 5],
  ],
  values: [1, 2, 3, 4, 100],
  attributes: {
    domain: ['ore', 'ore', 'waste', null, 'ore'],
    grade: [0.5, null, -0, 2, 0.30000000000000004],
    unknown: [null, null, null, null, null],
  },
};
/** Takes the mean of the samples that are left: idw of power 0. */
const mean = {
  target: { coordinates: [[5, 4]] },
  neighborhood: { ellipsoid: sphere(1e6), max_samples: 100 },
  power: 0,
};
const condition = (attribute: string, operator: string, payload: object) =>
  ({ type: 'condition', attribute, operator, ...payload }) as Expression;
const all = (...filters: Expression[]): Expression => ({ type: 'all_of', filters });
const any = (...filters: Expression[]): Expression => ({ type: 'any_of', filters });
const ore = condition('domain', 'in', { values: ['ore'], threshold: null });

/** The places in the source of the samples that pass. */
function left(where: Expression): number[] {
  const passes = readyFilter({ where }, source.attributes);
  return source.values.map((_, i) => i).filter(passes);
}

describe('a condition', () => {
  it.each([
    ['in', { values: ['ore', 'clay'], threshold: null }, [0, 1, 4]],
    ['in', { values: [] }, []],
    ['not_in', { values: ['ore'] }, [2]],
    ['not_in', { values: [] }, [0, 1, 2, 4]],
  ])('%s of %j on text leaves the samples %j', (operator, payload, expected) => {
    expect(left(condition('domain', operator, payload))).toEqual(expected);
  });

  it.each([
    ['equal', 0.3, []],
    ['equal', 0.30000000000000004, [4]],
    ['equal', 0, [2]],
    ['not_equal', 2, [0, 2, 4]],
    ['greater_than', 0.5, [3]],
    ['greater_than_or_equal_to', 0.5, [0, 3]],
    ['less_than', 0.5, [2, 4]],
    ['less_than_or_equal_to', 0.5, [0, 2, 4]],
  ])('%s %f on numbers leaves the samples %j', (operator, threshold, expected) => {
    expect(left(condition('grade', operator, { threshold, values: null }))).toEqual(expected);
  });

  it('on numbers may name them in a list', () => {
    expect(left(condition('grade', 'in', { values: [0, 2] }))).toEqual([2, 3]);
    expect(left(condition('grade', 'not_in', { values: [0, 2] }))).toEqual([0, 4]);
  });

  it('is true nowhere when nothing is known', () => {
    for (const operator of ['not_in', 'in']) {
      expect(left(condition('unknown', operator, { values: ['a', 1] }))).toEqual([]);
    }
    expect(left(condition('unknown', 'not_equal', { threshold: 1 }))).toEqual([]);
  });

  it('finds its attribute by an expression that looks up a name or a key', () => {
    for (const name of [
      "attributes[?name=='domain']",
      "locations.attributes[?key=='domain']",
      'cell_attributes[?name==`domain`]',
    ]) {
      expect(left(condition(name, 'in', { values: ['waste'] }))).toEqual([2]);
    }
  });
});

describe('conditions together', () => {
  it('are all to be true, or any', () => {
    const rich = condition('grade', 'greater_than', { threshold: 0.4 });
    expect(left(all(ore, rich))).toEqual([0]);
    expect(left(any(ore, rich))).toEqual([0, 1, 3, 4]);
    expect(left(all(any(ore, rich), condition('domain', 'not_in', { values: ['waste'] })))).toEqual(
      [0, 1, 4],
    );
  });

  it('all_of of nothing is true, any_of of nothing is false', () => {
    expect(left(all())).toEqual([0, 1, 2, 3, 4]);
    expect(left(any())).toEqual([]);
  });
});

describe('a filter', () => {
  it('chooses the samples of inverse distance weighting', async () => {
    const { target } = await runTask(idw, {
      ...mean,
      source: { ...source, filter: { where: condition('domain', 'in', { values: ['ore'] }) } },
    });
    expect(target.values[0]).toBeCloseTo((1 + 2 + 100) / 3, 12);
  });

  it('makes kriging and the variogram what they are of the samples that it leaves', async () => {
    const filter = { where: condition('domain', 'not_in', { values: ['waste'] }) };
    const kept = [0, 1, 4];
    const few = {
      coordinates: kept.map((i) => source.coordinates[i]!),
      values: kept.map((i) => source.values[i]!),
    };
    const model = {
      nugget: 0.1,
      structures: [
        { variogram_type: 'spherical' as const, contribution: 1, anisotropy: sphere(20) },
      ],
    };
    const { target, neighborhood } = mean;
    const krige = (from: object) =>
      runTask(kriging, { source: from as typeof few, target, neighborhood, variogram: model });
    expect((await krige({ ...source, filter })).target).toEqual((await krige(few)).target);

    const lags = { lag: 2.5, cutoff: 20 };
    const line = { ...source, coordinates: [0, 1, 2.5, 7, 17].map((x) => [x, 0]) };
    const passing = { where: condition('grade', 'not_equal', { threshold: 2 }) };
    const others = {
      coordinates: [0, 2, 4].map((i) => line.coordinates[i]!),
      values: [0, 2, 4].map((i) => line.values[i]!),
    };
    const fit = async (from: object) => {
      const { summary, ...rest } = await runTask(variogram, {
        source: from as typeof few,
        ...lags,
      });
      return { ...rest, samples: summary.samples };
    };
    expect(await fit({ ...line, filter: passing })).toEqual(await fit(others));
  });

  it('leaves a problem of samples their places in what the caller sent', async () => {
    const twice = {
      ...source,
      coordinates: source.coordinates.map((c, i) => (i === 4 ? [10, 0] : c)),
    };
    const run = runTask(kriging, {
      target: mean.target,
      neighborhood: mean.neighborhood,
      source: {
        ...twice,
        filter: { where: any(condition('grade', 'less_than', { threshold: 1 }), ore) },
      },
      variogram: { nugget: 1, structures: [] },
    });
    await expect(run).rejects.toMatchObject({
      problem: {
        slug: 'duplicate-samples',
        detail: expect.stringContaining('source.coordinates[1] and source.coordinates[4]'),
      },
    });
  });

  it('that leaves no samples ends the job with a problem that says so', async () => {
    const filter = { where: condition('domain', 'in', { values: ['clay'] }) };
    await expect(runTask(idw, { ...mean, source: { ...source, filter } })).rejects.toMatchObject({
      problem: { status: 422, slug: 'no-samples' },
    });
  });

  it('of the target leaves points without an estimate, and says how many', async () => {
    const target = {
      coordinates: [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
      attributes: { rock: ['a', 'b', 'a'] },
      filter: { where: condition('rock', 'in', { values: ['a'] }) },
    };
    const found = await runTask(idw, { ...mean, source, target });
    expect(found.target.values).toEqual([22, null, 22]);
    expect(found.summary).toMatchObject({ points: 3, estimated: 2, filtered_out: 1 });
    expect(found.message).toBe('Estimated 2 of 3 points; target.filter leaves 1 out');
  });

  it('of a grid counts its cells along x, then y', async () => {
    const target = {
      grid: { origin: [0, 0], spacing: [1, 1], size: [2, 2] },
      attributes: { cell: [0, 1, 2, 3] },
      filter: { where: condition('cell', 'greater_than_or_equal_to', { threshold: 2 }) },
    };
    const found = await runTask(idw, { ...mean, source, target });
    expect(found.target.values).toEqual([null, null, 22, 22]);
  });

  it('that is null is none', () => {
    expect(mistakes(idw, { ...mean, source: { ...source, filter: null } })).toEqual([]);
  });
});

describe('a mistake in a filter is told by its place', () => {
  const found = (where: unknown, attributes: unknown = source.attributes) =>
    mistakes(idw, { ...mean, source: { ...source, attributes, filter: { where } } });
  const at = (place: string, message: RegExp) =>
    expect.arrayContaining([expect.stringMatching(new RegExp(`^${place}: ${message.source}`))]);
  const where = 'source\\.filter\\.where';

  it.each([
    [condition('rock', 'in', { values: [] }), `${where}\\.attribute`, /.*source\.attributes/],
    [condition('toString', 'in', { values: [] }), `${where}\\.attribute`, /.*source\.attributes/],
    [condition('domain', 'in', { values: ['a', 2] }), `${where}\\.values\\.1`, /Expected text/],
    [condition('grade', 'in', { values: ['a'] }), `${where}\\.values\\.0`, /Expected a number/],
    [condition('domain', 'equal', { threshold: 1 }), `${where}\\.operator`, /.*has text/],
    [condition('grade', 'equal', { threshold: 'a' }), `${where}\\.threshold`, /.*finite number/],
    [condition('grade', 'equal', {}), `${where}\\.threshold`, /.*finite number/],
    [condition('grade', 'equal', { threshold: 1, values: [1] }), `${where}\\.values`, /.*null/],
    [condition('grade', 'in', { threshold: 1, values: [1] }), `${where}\\.threshold`, /.*null/],
    [condition('grade', 'in', { values: null }), `${where}\\.values`, /.*array/],
    [condition('grade', 'in', { values: [true] }), `${where}\\.values\\.0`, /.*text or a finite/],
    [
      condition('grade', 'is', { values: [1] }),
      `${where}\\.operator`,
      /Expected one of in, not_in/,
    ],
    [{ ...ore, more: 1 }, `${where}\\.more`, /is not a known member/],
    [{ type: 'none_of', filters: [] }, `${where}\\.type`, /.*all_of/],
    [{ type: 'all_of' }, `${where}\\.filters`, /.*array/],
    [all(ore, any(null as never)), `${where}\\.filters\\.1\\.filters\\.0`, /.*condition/],
    [null, where, /.*condition/],
  ])('%j', (expression, place, message) => {
    expect(found(expression)).toEqual(at(place, message));
  });

  it.each([
    ['is of another length', { domain: ['ore'] }, 'domain', /.*each of the 5 coordinates, not 1/],
    ['mixes kinds', { domain: ['a', 1, 'a', 'a', 'a'] }, 'domain\\.1', /Expected text or null/],
    ['holds what is neither', { domain: [true, 1, 1, 1, 1] }, 'domain\\.0', /.*number, text or/],
    ['is no list', { domain: 'ore' }, 'domain', /Expected an array/],
    ['is too long a text', { domain: ['x'.repeat(257)] }, 'domain\\.0', /.*256 characters/],
  ])('an attribute that %s', (_, attributes, place, message) => {
    expect(found(ore, attributes)).toEqual(at(`source\\.attributes\\.${place}`, message));
  });

  it('a filter too deep, of too many expressions or values', () => {
    const nested = (levels: number): Expression => (levels === 0 ? ore : all(nested(levels - 1)));
    expect(found(nested(8))).toEqual([]);
    expect(found(nested(9))[0]).toMatch(/Expected at most 8 levels$/);
    const many = (count: number) => all(...Array.from({ length: count }, () => ore));
    expect(found(many(199))).toEqual([]);
    expect(found(many(100_000))).toEqual([
      'source.filter.where.filters.199: Expected at most 200 expressions in a filter',
    ]);
    const values = (count: number) =>
      condition('domain', 'in', { values: Array.from({ length: count }, () => 'ore') });
    expect(found(values(10_000))).toEqual([]);
    expect(found(any(values(10_000), ore))).toEqual([
      'source.filter.where.filters.1.values: Expected at most 10000 values in a filter',
    ]);
  });

  it('too many attributes', () => {
    const attributes = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, []]));
    expect(found(ore, attributes)).toEqual([
      'source.attributes: Expected at most 32 attributes, not 33',
    ]);
  });
});

const numbers = fc.constantFrom(-1, -0, 0, 0.1, 0.30000000000000004, 0.3, 1, 1e100);
const words = fc.constantFrom('', 'a', 'A', 'b', '0', 'é', 'e\u0301');
const SIZE = 12;
const list = <T>(item: fc.Arbitrary<T>) =>
  fc.array(fc.option(item, { nil: null }), { minLength: SIZE, maxLength: SIZE });
const comparisons = [
  'equal',
  'not_equal',
  'greater_than',
  'greater_than_or_equal_to',
  'less_than',
  'less_than_or_equal_to',
];
const membership = fc.constantFrom('in', 'not_in');
const leaf = fc.oneof(
  fc
    .tuple(membership, fc.array(words, { maxLength: 4 }))
    .map(([operator, values]) => condition('words', operator, { values, threshold: null })),
  fc
    .tuple(membership, fc.array(numbers, { maxLength: 4 }))
    .map(([operator, values]) => condition('numbers', operator, { values })),
  fc
    .tuple(fc.constantFrom(...comparisons), numbers)
    .map(([operator, threshold]) => condition('numbers', operator, { threshold, values: null })),
);
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'filter' },
    leaf,
    fc
      .tuple(fc.boolean(), fc.array(tie('expression'), { maxLength: 3 }))
      .map(([isAll, filters]) => (isAll ? all(...filters) : any(...filters))),
  ),
}));

/** Says the same as the service, by going through everything for every row. */
function naive(where: Expression, row: Record<string, number | string | null>): boolean {
  if ('filters' in where) {
    const truths = where.filters.map((each) => naive(each, row));
    return where.type === 'all_of' ? !truths.includes(false) : truths.includes(true);
  }
  const entry = row[where.attribute] ?? null;
  if (entry === null) return false;
  const threshold = where.threshold as number;
  const listed = (where.values ?? []).some((value) => value === entry);
  return {
    in: listed,
    not_in: !listed,
    equal: entry === threshold,
    not_equal: entry !== threshold,
    greater_than: (entry as number) > threshold,
    greater_than_or_equal_to: !((entry as number) < threshold),
    less_than: (entry as number) < threshold,
    less_than_or_equal_to: !((entry as number) > threshold),
  }[where.operator];
}

describe('any filter', () => {
  const attributes = fc.record({ words: list(words), numbers: list(numbers) });

  it('leaves what a naive reading leaves, in whatever order samples are listed', () => {
    fc.assert(
      fc.property(expression, attributes, fc.nat(), (where, columns, turn) => {
        const filter: Filter = { where };
        const passes = readyFilter(filter, columns);
        const rotated = (i: number) => (i + turn) % SIZE;
        const turned = readyFilter(filter, {
          words: columns.words.map((_, i) => columns.words[rotated(i)]!),
          numbers: columns.numbers.map((_, i) => columns.numbers[rotated(i)]!),
        });
        for (let i = 0; i < SIZE; i++) {
          const row = { words: columns.words[i]!, numbers: columns.numbers[i]! };
          expect(passes(i)).toBe(naive(where, row));
          expect(turned(i)).toBe(passes(rotated(i)));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is accepted, and gives what its samples alone give', async () => {
    await fc.assert(
      fc.asyncProperty(expression, attributes, async (where, columns) => {
        const samples = {
          coordinates: Array.from({ length: SIZE }, (_, i) => [i, i % 3]),
          values: Array.from({ length: SIZE }, (_, i) => i * i),
        };
        const kept = samples.values
          .map((_, i) => i)
          .filter((i) => naive(where, { words: columns.words[i]!, numbers: columns.numbers[i]! }));
        const parameters = {
          ...mean,
          source: { ...samples, attributes: columns, filter: { where } },
        };
        expect(mistakes(idw, parameters)).toEqual([]);
        if (kept.length === 0) {
          await expect(runTask(idw, parameters)).rejects.toThrow('leaves no samples');
          return;
        }
        const few = {
          coordinates: kept.map((i) => samples.coordinates[i]!),
          values: kept.map((i) => samples.values[i]!),
        };
        const { target } = await runTask(idw, { ...mean, source: few });
        expect((await runTask(idw, parameters)).target).toEqual(target);
      }),
      { numRuns: 100 },
    );
  });
});
