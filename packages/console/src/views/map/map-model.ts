import { at } from '../../document/place.js';
import {
  numbersIn,
  type Packed,
  type Rows,
  rowsIn,
  valuesOf,
  widthOf,
} from '../../document/packed.js';
import type { MapView } from '../view-types.js';

/** A regular grid of cells; the first cell's smallest corner at the origin, x running fastest. */
export interface Grid {
  readonly kind: 'grid';
  readonly origin: readonly number[];
  readonly spacing: readonly number[];
  readonly size: readonly number[];
  /** Which value stands in each cell; absent: the cells' own order. -1: none. */
  readonly order?: Int32Array;
}

/** Points where they lie. */
export interface Scatter {
  readonly kind: 'scatter';
  readonly places: Rows;
}

export interface Layer {
  readonly title: string;
  readonly unit: string;
  readonly values: Float64Array;
}

/** What a map draws. */
export interface MapModel {
  readonly shape: Grid | Scatter;
  readonly layers: readonly Layer[];
  readonly samples: { readonly places: Rows; readonly values: Float64Array } | null;
  /** What the values stand at: `cells` or `points`. */
  readonly noun: string;
  /** How many cells are above each other: 1 of a map that is flat. */
  readonly levels: number;
}

/** A raster of points may have so many empty cells for each that is taken. */
const SPARSEST = 6;

/** @returns null when the document has not what the hint names */
export function mapModel(view: MapView, document: Packed): MapModel | null {
  const layers = view.layers.flatMap(({ title, unit = '', values }) => {
    const numbers = numbersIn(at(document, values));
    return numbers === null ? [] : [{ title, unit, values: numbers }];
  });
  const count = layers[0]?.values.length ?? 0;
  if (count === 0) return null;
  const given = view.grid === undefined ? null : gridIn(at(document, view.grid));
  const points = view.points === undefined ? null : rowsIn(at(document, view.points));
  const samples = samplesIn(view, document);
  if (given !== null) {
    const cells = given.size.reduce((product, size) => product * size, 1);
    if (layers.some(({ values }) => values.length !== cells)) return null;
    return { shape: given, layers, samples, noun: 'cells', levels: given.size[2] ?? 1 };
  }
  if (points === null || valuesOf(points).length !== count * widthOf(points)) return null;
  const shape = latticeOf(points) ?? { kind: 'scatter' as const, places: points };
  return { shape, layers, samples, noun: 'points', levels: 1 };
}

function gridIn(value: Packed | undefined): Grid | null {
  const part = (name: string) => numbersIn(value === undefined ? undefined : at(value, name));
  const [origin, spacing, size] = [part('origin'), part('spacing'), part('size')];
  if (origin === null || spacing === null || size === null || origin.length < 2) return null;
  return { kind: 'grid', origin: [...origin], spacing: [...spacing], size: [...size] };
}

function samplesIn({ samples }: MapView, document: Packed): MapModel['samples'] {
  if (samples === undefined) return null;
  const places = rowsIn(at(document, samples.coordinates));
  const values = numbersIn(at(document, samples.values));
  return places === null || values === null ? null : { places, values };
}

/**
 * The grid that points lie on, as the centres of its cells: flat points of one spacing, most of whose
 * places are taken. Null when they lie anyhow.
 */
export function latticeOf(points: Rows): Grid | null {
  if (widthOf(points) !== 2) return null;
  const values = valuesOf(points);
  const count = values.length / 2;
  if (count < 16) return null;
  const axes = [0, 1].map((axis) => axisOf(values, axis));
  const [x, y] = axes as [Axis | null, Axis | null];
  if (x === null || y === null || x.size * y.size > count * SPARSEST) return null;
  const order = new Int32Array(x.size * y.size).fill(-1);
  for (let index = 0; index < count; index += 1) {
    const column = ((values[2 * index] as number) - x.first) / x.spacing;
    const row = ((values[2 * index + 1] as number) - y.first) / y.spacing;
    const [i, j] = [Math.round(column), Math.round(row)];
    if (Math.abs(column - i) > 0.01 || Math.abs(row - j) > 0.01) return null;
    order[j * x.size + i] = index;
  }
  return {
    kind: 'grid',
    origin: [x.first - x.spacing / 2, y.first - y.spacing / 2],
    spacing: [x.spacing, y.spacing],
    size: [x.size, y.size],
    order,
  };
}

interface Axis {
  readonly first: number;
  readonly spacing: number;
  readonly size: number;
}

function axisOf(values: Float64Array, axis: number): Axis | null {
  const list = new Float64Array(values.length / 2);
  for (let index = 0; index < list.length; index += 1)
    list[index] = values[2 * index + axis] as number;
  list.sort();
  const [first, last] = [list[0] as number, list.at(-1) as number];
  const least = (last - first) * 1e-6;
  let spacing = Infinity;
  for (let index = 1; index < list.length; index += 1) {
    const step = (list[index] as number) - (list[index - 1] as number);
    if (step > least && step < spacing) spacing = step;
  }
  const size = Math.round((last - first) / spacing) + 1;
  return Number.isFinite(spacing) && size <= 8_192 ? { first, spacing, size } : null;
}

/**
 * What the map covers, [xMin, yMin, xMax, yMax]: the cells or points, and the samples around them. A sample
 * that lies far away, as one with a slip in its coordinates does, makes no dot of all the others.
 */
export function boundsOf({ shape, samples }: MapModel): readonly [number, number, number, number] {
  const own = shape.kind === 'grid' ? gridBounds(shape) : placesBounds(shape.places, () => true);
  if (samples === null) return own;
  const [left, bottom, right, top] = own;
  const [wide, high] = [right - left, top - bottom];
  const near = placesBounds(
    samples.places,
    (x, y) => x > left - wide && x < right + wide && y > bottom - high && y < top + high,
  );
  return [
    Math.min(left, near[0]),
    Math.min(bottom, near[1]),
    Math.max(right, near[2]),
    Math.max(top, near[3]),
  ];
}

function gridBounds({ origin, spacing, size }: Grid): readonly [number, number, number, number] {
  const [x = 0, y = 0] = origin;
  return [x, y, x + (size[0] ?? 0) * (spacing[0] ?? 0), y + (size[1] ?? 0) * (spacing[1] ?? 0)];
}

function placesBounds(
  places: Rows,
  counts: (x: number, y: number) => boolean,
): readonly [number, number, number, number] {
  const bounds: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const [values, width] = [valuesOf(places), widthOf(places)];
  for (let index = 0; index < values.length; index += width) {
    const [x, y] = [values[index] as number, values[index + 1] as number];
    if (!counts(x, y)) continue;
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x);
    bounds[3] = Math.max(bounds[3], y);
  }
  return bounds;
}
