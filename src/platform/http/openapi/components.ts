import { z } from 'zod';
import type { SchemaObject } from './openapi-types.js';

const address = (id: string): string => `#/components/schemas/${id}`;

/** The name of a schema: the `id` of its metadata. */
function nameOf(schema: z.ZodType): string {
  const { id } = schema.meta() ?? {};
  if (id === undefined) {
    throw new Error('a schema that the OpenAPI document refers to needs an id');
  }
  return id;
}

/** A reference to one of {@link componentsOf}. */
export const referenceTo = (schema: z.ZodType): { $ref: string } => ({
  $ref: address(nameOf(schema)),
});

/** The bodies that the service sends, as components of the OpenAPI document: by name, as listed. */
export function componentsOf(bodies: readonly z.ZodType[]): Record<string, SchemaObject> {
  const registry = z.registry<{ id: string }>();
  for (const body of bodies) {
    registry.add(body, { id: nameOf(body) });
  }
  const { schemas } = z.toJSONSchema(registry, {
    target: 'draft-2020-12',
    io: 'output',
    uri: address,
    override: ({ jsonSchema }) => plain(jsonSchema),
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, withoutDialect(schema)]),
  );
}

/** Takes out what a reader knows without, or must not rely upon. */
function plain(schema: z.core.JSONSchema.BaseSchema): void {
  // A later version may add members: only our own tests refuse those that are not known.
  if (schema.additionalProperties === false) {
    delete schema.additionalProperties;
  }
  // A format says what its pattern spells out.
  if (schema.format !== undefined) {
    delete schema.pattern;
  }
  // The bounds of what JavaScript counts exactly, and names that may be anything.
  if (schema.maximum === Number.MAX_SAFE_INTEGER) {
    delete schema.maximum;
  }
  if (JSON.stringify(schema.propertyNames) === '{"type":"string"}') {
    delete schema.propertyNames;
  }
}

/**
 * A JSON Schema as a component of the OpenAPI document: its references to itself lead to where it lies
 * there. The document's dialect holds for all of its schemas.
 */
export function asComponent(schema: object, name: string): SchemaObject {
  return rebased(withoutDialect(schema), address(name)) as SchemaObject;
}

function withoutDialect(schema: object): SchemaObject {
  const { $schema: _dialect, $id: _id, ...rest } = schema as Record<string, unknown>;
  return rest as SchemaObject;
}

function rebased(node: unknown, base: string): unknown {
  if (Array.isArray(node)) {
    return node.map((child) => rebased(child, base));
  }
  if (typeof node !== 'object' || node === null) {
    return node;
  }
  return Object.fromEntries(
    Object.entries(node).map(([key, child]) => [
      key,
      key === '$ref' && typeof child === 'string' && /^#(\/|$)/.test(child)
        ? base + child.slice(1)
        : rebased(child, base),
    ]),
  );
}
