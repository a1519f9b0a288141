import { valueWords } from '../format/value-words.js';

/** A JSON Schema (2020-12), as far as a form reads it. Anything else in it is the service's to judge. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema | boolean;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly discriminator?: { readonly propertyName: string };
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** What a field of the form is. */
export type Shape =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'choice-of-values'; readonly values: readonly unknown[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number'; readonly whole: boolean }
  | { readonly kind: 'text' }
  | { readonly kind: 'numbers' }
  | { readonly kind: 'rows'; readonly least: number; readonly most: number }
  | { readonly kind: 'list'; readonly items: JsonSchema }
  | {
      readonly kind: 'object';
      readonly members: readonly Member[];
      readonly either: readonly string[];
    }
  | {
      readonly kind: 'choice';
      readonly branches: readonly JsonSchema[];
      readonly by: string | null;
    }
  | { readonly kind: 'anything' };

export interface Member {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** How many references are followed one behind the other: a chain that leads to itself has no end. */
const MOST_REFERENCES = 20;
/** Values of a list that may stand in a plain text field instead of fields of their own. */
const FLAT_UP_TO = 4;

/** The schema that a reference leads to; `{}` when it leads nowhere, or in a circle. */
export function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  let current = schema;
  for (let step = 0; current.$ref !== undefined; step += 1) {
    const { $ref, ...beside } = current;
    const target = step < MOST_REFERENCES ? pointed($ref, root) : null;
    if (target === null) return beside;
    current = { ...target, ...beside, ...(target.$ref !== undefined && { $ref: target.$ref }) };
  }
  return current;
}

function pointed(reference: string, root: JsonSchema): JsonSchema | null {
  if (!reference.startsWith('#')) return null;
  const names = reference
    .slice(1)
    .split('/')
    .slice(1)
    .map((name) => decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~'));
  let current: unknown = root;
  for (const name of names) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name))
      return null;
    current = (current as Record<string, unknown>)[name];
  }
  return typeof current === 'object' && current !== null ? (current as JsonSchema) : null;
}

/** The schema without `null` beside it, and whether that was there. */
export function withoutNull(
  schema: JsonSchema,
  root: JsonSchema,
): { readonly schema: JsonSchema; readonly nullable: boolean } {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    const rest = branches.filter((branch) => resolved(branch, root).type !== 'null');
    if (rest.length < branches.length) {
      const { anyOf: _any, oneOf: _one, ...beside } = schema;
      const [only] = rest;
      return {
        schema:
          rest.length === 1 && only !== undefined
            ? { ...resolved(only, root), ...beside }
            : { ...beside, anyOf: rest },
        nullable: true,
      };
    }
  }
  if (Array.isArray(schema.type) && schema.type.includes('null')) {
    const rest = (schema.type as string[]).filter((type) => type !== 'null');
    const [only] = rest;
    return {
      schema: { ...schema, type: rest.length === 1 ? (only as string) : rest },
      nullable: true,
    };
  }
  return { schema, nullable: false };
}

/** What field a schema, resolved and without null, asks for. */
export function shapeOf(schema: JsonSchema, root: JsonSchema): Shape {
  if (schema.const !== undefined) return { kind: 'constant', value: schema.const };
  if (schema.enum !== undefined) return { kind: 'choice-of-values', values: schema.enum };
  const { type = 'any' } = schema;
  switch (type) {
    case 'boolean':
      return { kind: 'boolean' };
    case 'number':
    case 'integer':
      return { kind: 'number', whole: type === 'integer' };
    case 'string':
      return { kind: 'text' };
    case 'array':
      return arrayShape(schema, root);
    default:
      break;
  }
  if (schema.properties !== undefined) return objectShape(schema, root);
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches !== undefined && branches.length > 0) return choiceShape(schema, branches, root);
  return { kind: 'anything' };
}

function arrayShape({ items }: JsonSchema, root: JsonSchema): Shape {
  if (typeof items !== 'object') return { kind: 'anything' };
  const item = withoutNull(resolved(items, root), root).schema;
  if (item.type === 'number' || item.type === 'integer') return { kind: 'numbers' };
  if (item.type === 'array' && typeof item.items === 'object') {
    const inner = resolved(item.items, root);
    const { minItems = 2, maxItems = 0 } = item;
    if (
      (inner.type === 'number' || inner.type === 'integer') &&
      maxItems >= minItems &&
      maxItems <= 8
    ) {
      return { kind: 'rows', least: minItems, most: maxItems };
    }
  }
  return { kind: 'list', items };
}

function objectShape(schema: JsonSchema, root: JsonSchema): Shape {
  const { properties = {}, required = [] } = schema;
  const members = Object.entries(properties).map(([name, each]) => ({
    name,
    schema: resolved(each, root),
    required: required.includes(name),
  }));
  // Branches that only demand members say which of these stand for each other.
  const either = (schema.oneOf ?? []).map((branch) => branch.required ?? []);
  const alone = either.every((names) => names.length === 1) && either.length > 1;
  return { kind: 'object', members, either: alone ? either.flat() : [] };
}

function choiceShape(schema: JsonSchema, given: readonly JsonSchema[], root: JsonSchema): Shape {
  const branches = given.map((branch) => resolved(branch, root));
  return {
    kind: 'choice',
    branches,
    by: schema.discriminator?.propertyName ?? discriminatorOf(branches),
  };
}

/** A member that every branch has, with another constant in each: what tells them apart. */
function discriminatorOf(branches: readonly JsonSchema[]): string | null {
  const [first] = branches;
  const names = Object.keys(first?.properties ?? {});
  return (
    names.find((name) => {
      const values = branches.map((branch) => branch.properties?.[name]?.const);
      return !values.includes(undefined) && new Set(values).size === branches.length;
    }) ?? null
  );
}

/** Which branch a value belongs to: by the discriminator, else by the members that it has. */
export function branchOf(shape: Shape & { kind: 'choice' }, value: unknown): number {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const members = isObject ? (value as Record<string, unknown>) : {};
  const { by, branches } = shape;
  if (by !== null && isObject) {
    const found = branches.findIndex((branch) => {
      const { const: only, enum: several } = branch.properties?.[by] ?? {};
      return only === members[by] || (several?.includes(members[by]) ?? false);
    });
    if (found >= 0) return found;
  }
  const fits = branches.findIndex((branch) =>
    isObject
      ? branch.type === 'object' &&
        Object.keys(members).every((name) => branch.properties?.[name] !== undefined)
      : branch.type === typeOf(value),
  );
  return Math.max(0, fits);
}

const typeOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

/** What a field begins with: its default or constant, and of an object what it must have. */
export function beginningOf(schema: JsonSchema, root: JsonSchema, depth = 0): unknown {
  const { schema: plain } = withoutNull(resolved(schema, root), root);
  if (plain.default !== undefined) return structuredClone(plain.default);
  const shape = shapeOf(plain, root);
  if (shape.kind === 'constant') return shape.value;
  // A schema that contains itself is filled in as deep as somebody asks for.
  if (depth > FLAT_UP_TO) return undefined;
  if (shape.kind === 'object') {
    return Object.fromEntries(
      shape.members
        .filter(({ required }) => required)
        .map(({ name, schema: member }) => [name, beginningOf(member, root, depth + 1)])
        .filter(([, value]) => value !== undefined),
    );
  }
  if (shape.kind === 'choice') return beginningOf(shape.branches[0] ?? {}, root, depth + 1);
  if (shape.kind === 'list' && (plain.minItems ?? 0) > 0) {
    return [beginningOf(shape.items, root, depth + 1) ?? null];
  }
  return undefined;
}

/** What a branch of a choice is called. */
export function branchName(branch: JsonSchema, by: string | null, index: number): string {
  const told = by === null ? undefined : branch.properties?.[by];
  const word = told?.const ?? told?.enum?.join(' or ') ?? branch.title;
  if (word !== undefined) return words(valueWords(word));
  const required = branch.required?.join(', ');
  return required ?? (typeof branch.type === 'string' ? branch.type : `Choice ${index + 1}`);
}

/** `max_samples` as people write it: `Max samples`. */
export function words(name: string): string {
  const text = name.replaceAll('_', ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
