import { z } from 'zod';
import type { InvalidParam } from '../../platform/http/problem/problem.js';
import { invalidParamsOf } from '../../platform/http/problem/invalid-params.js';
import { JsonSchema } from './json.schema.js';

/** What judges parameters or results: of a task in TypeScript a zod schema, of a manifest a JSON Schema. */
export type TaskSchema = z.ZodType | JsonSchema;

/** The faults of a value, and how many more there are than are listed. */
export interface Faults {
  readonly listed: readonly InvalidParam[];
  readonly more: number;
}

/**
 * Judges a value without changing it.
 * @param root what the value is called: `parameters`
 * @returns null when there is no fault
 */
export function faultsOf(schema: TaskSchema, value: unknown, root: string): Faults | null {
  if (schema instanceof JsonSchema) {
    const fault = schema.faultOf(value, root);
    return fault === null ? null : { listed: [fault], more: 0 };
  }
  const { error } = schema.safeParse(value);
  return error === undefined ? null : zodFaults(error, root);
}

/** The faults that zod has found. */
export const zodFaults = (error: z.ZodError, root: string): Faults => ({
  listed: invalidParamsOf(error, root),
  more: error.issues.length - 1,
});

export type JsonSchemaDocument = Readonly<Record<string, unknown>>;

/** The JSON Schema (2020-12) of what a client sends (`input`) or gets (`output`). */
export function jsonSchemaOf(schema: TaskSchema, io: 'input' | 'output'): JsonSchemaDocument {
  return schema instanceof JsonSchema
    ? schema.document
    : z.toJSONSchema(schema, {
        target: 'draft-2020-12',
        io,
        unrepresentable: 'any',
        override: ({ zodSchema, jsonSchema }) => {
          if (zodSchema instanceof z.ZodDiscriminatedUnion) {
            jsonSchema.discriminator = { propertyName: zodSchema.def.discriminator };
          }
        },
      });
}
