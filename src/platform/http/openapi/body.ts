import { z } from 'zod';
import { referenceTo } from './components.js';

/** What a presenter of this schema returns: nothing judges it while the service runs, the compiler did. */
export type BodyOf<Schema extends z.ZodType> = DeepReadonly<z.output<Schema>>;

type DeepReadonly<T> = T extends object ? { readonly [Name in keyof T]: DeepReadonly<T[Name]> } : T;

/** A moment, as `toISOString` writes it. */
export const MOMENT = z.iso.datetime({ precision: 3 });

/** How many there are of something. */
export const COUNT = z.int().min(0);

/** The JSON content of an answer: its schema, which has a name, and examples of it. */
export const json = <Schema extends z.ZodType>(
  schema: Schema,
  examples: Readonly<Record<string, BodyOf<Schema>>>,
) => ({
  'application/json': {
    schema: referenceTo(schema),
    examples: Object.fromEntries(
      Object.entries(examples).map(([name, value]) => [name, { value }]),
    ),
  },
});
