/**
 * A JSON document whose long lists of numbers are packed, so that it can be handed from thread to thread
 * and looked through without millions of objects: a list of numbers and nulls is a `Float64Array` (null is
 * NaN, which JSON does not have), a list of lists of numbers of one length a {@link Rows}.
 */
export type Packed =
  | null
  | boolean
  | number
  | string
  | readonly Packed[]
  | { readonly [name: string]: Packed }
  | Float64Array
  | Rows;

/** Lists of numbers of one length, one behind the other. A map, which no JSON is. */
export type Rows = ReadonlyMap<'width' | 'values', number | Float64Array>;

/** Shorter lists stay as they are. */
const PACKED_FROM = 64;

/** @param buffers is added the memory that can be handed over */
export function pack(value: unknown, buffers: ArrayBuffer[]): Packed {
  if (Array.isArray(value)) {
    if (value.length >= PACKED_FROM) {
      const packed = packNumbers(value) ?? packRows(value);
      if (packed !== null) {
        const values = packed instanceof Float64Array ? packed : valuesOf(packed);
        buffers.push(values.buffer as ArrayBuffer);
        return packed;
      }
    }
    return value.map((each) => pack(each, buffers));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, pack(each, buffers)]),
    );
  }
  return value as Packed;
}

function packNumbers(list: readonly unknown[]): Float64Array | null {
  const numbers = new Float64Array(list.length);
  for (let index = 0; index < list.length; index += 1) {
    const value = list[index];
    if (typeof value === 'number') numbers[index] = value;
    else if (value === null) numbers[index] = NaN;
    else return null;
  }
  return numbers;
}

function packRows(list: readonly unknown[]): Rows | null {
  const [first] = list;
  if (!Array.isArray(first) || first.length < 2 || first.length > 8) return null;
  const width = first.length;
  const values = new Float64Array(list.length * width);
  for (let index = 0; index < list.length; index += 1) {
    const row = list[index];
    if (!Array.isArray(row) || row.length !== width) return null;
    for (let column = 0; column < width; column += 1) {
      const value: unknown = row[column];
      if (typeof value !== 'number') return null;
      values[index * width + column] = value;
    }
  }
  return new Map<'width' | 'values', number | Float64Array>([
    ['width', width],
    ['values', values],
  ]);
}

export const isRows = (value: unknown): value is Rows => value instanceof Map;
export const widthOf = (rows: Rows): number => rows.get('width') as number;
export const valuesOf = (rows: Rows): Float64Array => rows.get('values') as Float64Array;

/** How many members a list has; null when the value is none. */
export function lengthOf(value: Packed): number | null {
  if (value instanceof Float64Array || Array.isArray(value)) return value.length;
  return isRows(value) ? valuesOf(value).length / widthOf(value) : null;
}

/** One member of a list. */
export function memberOf(value: Packed, index: number): Packed {
  if (value instanceof Float64Array) {
    const number = value[index];
    return number === undefined || Number.isNaN(number) ? null : number;
  }
  if (isRows(value)) {
    const width = widthOf(value);
    return [...valuesOf(value).subarray(index * width, (index + 1) * width)];
  }
  return Array.isArray(value) ? ((value as Packed[])[index] ?? null) : null;
}

/** The plain JSON again. */
export function unpack(value: Packed): unknown {
  const length = lengthOf(value);
  if (length !== null) {
    return Array.from({ length }, (_, index) => unpack(memberOf(value, index)));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value as Record<string, Packed>).map(([name, each]) => [name, unpack(each)]),
    );
  }
  return value;
}

/** The numbers of a list; null when it is none of numbers. */
export function numbersIn(value: Packed | undefined): Float64Array | null {
  if (value instanceof Float64Array) return value;
  return Array.isArray(value) ? packNumbers(value) : null;
}

/** Rows of numbers; null when the value is none. */
export function rowsIn(value: Packed | undefined): Rows | null {
  if (value === undefined || value === null) return null;
  if (isRows(value)) return value;
  return Array.isArray(value) && value.length > 0 ? packRows(value as unknown[]) : null;
}
