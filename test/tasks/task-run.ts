import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { TaskContext } from '../../src/compute/task.js';

interface Runnable<P extends z.ZodType, R extends z.ZodType> {
  readonly parameters: P;
  readonly results: R;
  run(parameters: z.output<P>, context: TaskContext): z.input<R> | Promise<z.input<R>>;
}

interface Told {
  readonly percent: number;
  readonly message: string | undefined;
}

/** A context as the thread runner gives it: telling progress throws once the signal has aborted. */
export function recordingContext(
  signal = new AbortController().signal,
): TaskContext & { told: Told[] } {
  const told: Told[] = [];
  return {
    jobId: '019a0000-0000-7000-8000-000000000000',
    attempt: 1,
    signal,
    threads: 1,
    told,
    span: (_name, work) => work(),
    progress(percent, message) {
      told.push({ percent, message });
      signal.throwIfAborted();
    },
  };
}

/** Checks parameters, runs the task in this thread, and checks its results, as the service does. */
export async function runTask<P extends z.ZodType, R extends z.ZodType>(
  task: Runnable<P, R>,
  parameters: z.input<P>,
  context: TaskContext = recordingContext(),
): Promise<z.output<R>> {
  return task.results.parse(await task.run(task.parameters.parse(parameters), context));
}

/** Where the schema finds the mistakes of some parameters: `source.coordinates.3.1: reason`. */
export function mistakes(task: { parameters: z.ZodType }, parameters: unknown): string[] {
  const { error } = task.parameters.safeParse(parameters);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** Reference results made by test/tasks/reference/reference.R. */
export function reference<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`reference/${name}`, import.meta.url), 'utf8')) as T;
}

/** Columns of a Meuse file. */
function columns(name: string): Record<string, number[]> {
  const text = readFileSync(new URL(`../../examples/meuse/${name}`, import.meta.url), 'utf8');
  const [header = '', ...rows] = text.trim().split('\n');
  const table: Record<string, number[]> = {};
  header.split(',').forEach((title, i) => {
    table[title.trim().replaceAll('"', '')] = rows.map((row) => Number(row.split(',')[i]));
  });
  return table;
}

const samples = columns('samples.csv');
const grid = columns('grid.csv');

export const meuseSource = {
  coordinates: samples['x']!.map((x, i) => [x, samples['y']![i]!]),
  values: samples['zinc']!.map(Math.log),
};
export const meuseGrid = grid['x']!.map((x, i) => [x, grid['y']![i]!]);
/** Every tenth point of the grid, as in the reference cases. */
export const someOfMeuseGrid = meuseGrid.filter((_, i) => i % 10 === 0);

type Maybe = (number | null)[];

/** The largest difference between two lists; Infinity when one has null where the other has not. */
export function largestDifference(actual: Maybe, expected: Maybe): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  actual.forEach((a, i) => {
    const b = expected[i]!;
    if ((a === null) !== (b === null)) largest = Infinity;
    else if (a !== null && b !== null) largest = Math.max(largest, Math.abs(a - b));
  });
  return largest;
}
