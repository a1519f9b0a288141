import type { SchemaObject } from './platform/http/problem/openapi-types.js';

/**
 * A schema as a component of the OpenAPI document: its references to itself lead to where it lies
 * there. The document's dialect holds for all of its schemas.
 */
export function asComponent(schema: object, name: string): SchemaObject {
  const { $schema: _dialect, $id: _id, ...rest } = schema as Record<string, unknown>;
  return rebased(rest, `#/components/schemas/${name}`) as SchemaObject;
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
