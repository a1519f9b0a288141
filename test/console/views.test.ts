import { describe, expect, it } from 'vitest';
import { unitSemivariance } from '../../src/tasks/geostatistics/variogram-model/unit-semivariance.js';
import type { VariogramType } from '../../src/tasks/geostatistics/variogram-model/variogram.schema.js';
import { at } from '../../packages/console/src/document/place.js';
import { pack, type Packed, unpack } from '../../packages/console/src/document/packed.js';
import { differencesOf } from '../../packages/console/src/job/find-differences.js';
import { histogramOf } from '../../packages/console/src/views/chart/histogram.js';
import { tickWords, ticksOver } from '../../packages/console/src/views/chart/ticks.js';
import { variogramCurve } from '../../packages/console/src/views/chart/variogram-curve.js';
import { boundsOf, latticeOf, mapModel } from '../../packages/console/src/views/map/map-model.js';
import { cellAt } from '../../packages/console/src/views/map/cell-at.js';
import type { MapView } from '../../packages/console/src/views/view-types.js';

const packed = (value: unknown): Packed => pack(value, []);

describe('a document', () => {
  const numbers = Array.from({ length: 200 }, (_, index) => (index === 7 ? null : index / 3));
  const rows = Array.from({ length: 100 }, (_, index) => [index, -index]);
  const document = {
    values: numbers,
    places: rows,
    mixed: [1, 'two', { three: [3] }],
    lags: [{ d: 1 }, { d: 2 }],
  };

  it('comes back from being packed as it was', () => {
    const there = packed(document);
    expect(at(there, 'values')).toBeInstanceOf(Float64Array);
    expect(at(there, 'places')).toBeInstanceOf(Map);
    expect(unpack(there)).toEqual(document);
  });

  it('is looked into by places, of which there may be none', () => {
    expect(at(packed(document), 'lags[].d')).toEqual([1, 2]);
    expect(at(packed(document), 'mixed.length')).toBeUndefined();
    expect(at(packed(document), 'no.such[].place')).toBeUndefined();
    expect(at(packed({}), '__proto__.x')).toBeUndefined();
  });

  it('is compared with another, packed or plain', () => {
    const other = { ...document, values: numbers.with(3, 99), extra: true };
    expect(differencesOf(packed(document), other as Packed)).toEqual([
      { place: 'values[3]', before: 1, after: 99 },
      { place: 'extra', before: undefined, after: true },
    ]);
    expect(differencesOf(packed(document), packed(document))).toEqual([]);
  });
});

describe('a map', () => {
  const view: MapView = {
    kind: 'map',
    grid: 'parameters.grid',
    points: 'parameters.points',
    layers: [{ title: 'Estimate', values: 'results.values' }],
    samples: { coordinates: 'parameters.samples', values: 'parameters.measured' },
  };

  it('finds the grid that points lie on, and which point is in each cell', () => {
    const points = [];
    for (let j = 0; j < 10; j += 1) {
      for (let i = 0; i < 10; i += 1)
        if ((i + j) % 5 > 0) points.push([180_000 + 40 * i, 330_000 + 40 * j]);
    }
    const grid = latticeOf(packed(points) as never);
    expect(grid).toMatchObject({ size: [10, 10], spacing: [40, 40], origin: [179_980, 329_980] });
    expect(points[cellAt(grid as never, 180_041, 330_081, 0)]).toEqual([180_040, 330_080]);
    expect(cellAt(grid as never, 180_000, 330_000, 0)).toBe(-1);
    expect(cellAt(grid as never, 0, 0, 0)).toBe(-1);
    const anyhow = Array.from({ length: 100 }, (_, n) => [
      Math.sin(n) * 1e3,
      Math.cos(n * 7) * 1e3,
    ]);
    expect(latticeOf(packed(anyhow) as never)).toBeNull();
  });

  it('is drawn of what is there, and not at all where values and places do not fit', () => {
    const grid = { origin: [0, 0, 0], spacing: [1, 1, 5], size: [2, 2, 3] };
    const values = Array.from({ length: 12 }, (_, index) => index);
    const whole = mapModel(view, packed({ parameters: { grid }, results: { values } }));
    expect(whole).toMatchObject({ levels: 3, noun: 'cells', samples: null });
    expect(
      mapModel(view, packed({ parameters: { grid }, results: { values: [1, 2] } })),
    ).toBeNull();
    expect(mapModel(view, packed({ parameters: {}, results: { values } }))).toBeNull();
    expect(mapModel(view, packed({ parameters: { grid }, results: {} }))).toBeNull();
  });

  it('covers the samples around it, and not one with a slip in its coordinates', () => {
    const grid = { origin: [100, 100], spacing: [10, 10], size: [2, 2] };
    const samples = [
      [95, 110],
      [10_000_000, 110],
    ];
    const model = mapModel(
      view,
      packed({
        parameters: { grid, samples, measured: [1, 2] },
        results: { values: [1, 2, 3, 4] },
      }),
    );
    expect(boundsOf(model as never)).toEqual([95, 100, 120, 120]);
  });
});

describe('a chart', () => {
  it('draws variogram models as the tasks define them', () => {
    const types: [VariogramType, 3 | 5 | 7 | 9 | undefined][] = [
      ['spherical', undefined],
      ['exponential', undefined],
      ['gaussian', undefined],
      ['cubic', undefined],
      ['linear', undefined],
      ['spheroidal', 3],
      ['spheroidal', 9],
      ['generalisedcauchy', 5],
    ];
    for (const [type, alpha] of types) {
      const curve = variogramCurve({
        nugget: 0.2,
        structures: [
          {
            variogram_type: type,
            ...(alpha !== undefined && { alpha }),
            contribution: 2,
            anisotropy: { ellipsoid_ranges: { major: 50, semi_major: 20, minor: 10 } },
          },
        ],
      });
      for (const h of [0.5, 10, 25, 49, 50, 80, 200]) {
        const expected = 0.2 + 2 * unitSemivariance({ type, alpha }, h / 50);
        expect(curve?.(h)).toBeCloseTo(expected, 12);
      }
    }
    expect(variogramCurve({ nugget: 1, structures: 'none' })).toBeNull();
  });

  it('counts numbers in bins, without those that are missing', () => {
    const found = histogramOf(Float64Array.of(1, 2, 3, 4, NaN, 4));
    expect(found?.bins.reduce((sum, count) => sum + count, 0)).toBe(5);
    expect(found?.summary).toMatchObject({ count: 5, missing: 1, mean: 2.8, median: 3 });
    expect(histogramOf(Float64Array.of(7, 7, 7))?.bins).toEqual([3]);
    expect(histogramOf(Float64Array.of(NaN))).toBeNull();
  });

  it('has ticks at round numbers', () => {
    expect(ticksOver(0.03, 1.02, 5)).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticksOver(178_400, 181_600, 4)).toEqual([179_000, 180_000, 181_000]);
    expect(tickWords(0.2, [0, 0.2])).toBe('0.2');
    expect(ticksOver(5, 5, 4)).toEqual([5]);
  });
});
