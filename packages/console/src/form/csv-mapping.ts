import type { Packed } from '../document/packed.js';
import { plural } from '../format/number-words.js';
import type { CsvTable } from './csv-table.js';

/** Which column of a file is what. */
export interface CsvMapping {
  /** Columns of x, y and z; -1 for a z that is not there. */
  readonly places: readonly number[];
  readonly numbers: Readonly<Record<string, number>>;
  /** Whether the logarithm of the numbers is taken, as grades usually want it. */
  readonly logarithm: boolean;
}

const NAMES = [
  /^(x|east(ing)?|lon(gitude)?)$/i,
  /^(y|north(ing)?|lat(itude)?)$/i,
  /^(z|elev(ation)?|rl|depth)$/i,
];

/** What the names of the columns suggest; else their order. */
export function suggested(
  { columns }: CsvTable,
  width: number,
  numbers: readonly string[],
): CsvMapping {
  const named = (pattern: RegExp) => columns.findIndex(({ name }) => pattern.test(name));
  const places = NAMES.slice(0, width).map((pattern, axis) => {
    const found = named(pattern);
    return found >= 0 || axis === 2 ? found : Math.min(axis, columns.length - 1);
  });
  const free = columns.map((_, index) => index).filter((index) => !places.includes(index));
  return {
    places:
      width > 2 && !/^z$/i.test(columns[places[2] ?? -1]?.name ?? '')
        ? [...places.slice(0, 2), -1]
        : places,
    numbers: Object.fromEntries(
      numbers.map((name, index) => {
        const same = columns.findIndex(
          (column) => column.name.toLowerCase() === name.toLowerCase(),
        );
        return [name, same >= 0 ? same : (free[index] ?? free[0] ?? 0)];
      }),
    ),
    logarithm: false,
  };
}

/** The members that a file fills. Rows in which a chosen column has no number are left out, and told. */
export function mapped(
  table: CsvTable,
  { places, numbers, logarithm }: CsvMapping,
  rowsName: string,
): { readonly members: Record<string, Packed>; readonly rows: number; readonly told: string } {
  const axes = places.filter((column) => column >= 0);
  const chosen = [...axes, ...Object.values(numbers)].flatMap(
    (index) => table.columns[index] ?? [],
  );
  const lists = chosen.map(({ values }) => values);
  const isLogarithm = lists.map((_, at) => logarithm && at >= axes.length);
  const kept: number[] = [];
  for (let row = 0; row < table.rows; row += 1) {
    const whole = lists.every((list, at) => {
      const value = list[row] as number;
      return !Number.isNaN(value) && (!isLogarithm[at] || value > 0);
    });
    if (whole) kept.push(row);
  }
  const flat = new Float64Array(kept.length * axes.length);
  kept.forEach((row, at) =>
    axes.forEach((_, axis) => {
      flat[at * axes.length + axis] = (lists[axis] as Float64Array)[row] as number;
    }),
  );
  const members: Record<string, Packed> = {
    [rowsName]: new Map<'width' | 'values', number | Float64Array>([
      ['width', axes.length],
      ['values', flat],
    ]),
  };
  Object.keys(numbers).forEach((name, at) => {
    const list = lists[axes.length + at] as Float64Array;
    members[name] = Float64Array.from(kept, (row) =>
      logarithm ? Math.log(list[row] as number) : (list[row] as number),
    );
  });
  const left = table.rows - kept.length;
  const odd = chosen.find(({ oddLine }) => oddLine > 0);
  const told = [
    left === 0
      ? ''
      : `${plural(left, 'row')} without a number in a chosen column ${left === 1 ? 'is' : 'are'} left out.`,
    odd === undefined ? '' : `Line ${odd.oddLine} has something else than a number in ${odd.name}.`,
  ];
  return { members, rows: kept.length, told: told.filter((part) => part !== '').join(' ') };
}
