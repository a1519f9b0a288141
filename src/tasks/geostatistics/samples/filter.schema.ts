import { z } from 'zod';
import { type Attribute, type Attributes, kindOf } from './attributes.schema.js';

const MEMBERSHIP = ['in', 'not_in'] as const;
const COMPARISON = [
  'equal',
  'not_equal',
  'greater_than',
  'greater_than_or_equal_to',
  'less_than',
  'less_than_or_equal_to',
] as const;

interface OnAttribute {
  readonly type: 'condition';
  readonly attribute: string;
}

export interface Membership extends OnAttribute {
  readonly operator: (typeof MEMBERSHIP)[number];
  readonly values: readonly (string | number)[];
  readonly threshold?: null;
}

export interface Comparison extends OnAttribute {
  readonly operator: (typeof COMPARISON)[number];
  readonly threshold: number;
  readonly values?: null;
}

export type Condition = Membership | Comparison;
export type Expression =
  | Condition
  | { readonly type: 'all_of' | 'any_of'; readonly filters: readonly Expression[] };

/** Which samples or points to use: those of which `where` is true. */
export interface Filter {
  readonly where: Expression;
}

/** Levels of all_of and any_of. */
const DEEPEST = 8;
/** Conditions, all_of and any_of together. */
const MAX_EXPRESSIONS = 200;
/** Of all conditions together. */
const MAX_VALUES = 10_000;
const MAX_TEXT = 256;
const MAX_ISSUES = 20;

type Path = readonly (string | number)[];

/** Takes the mistakes that are found, and counts what is bounded over the whole filter. */
class Review {
  readonly issues: { path: (string | number)[]; message: string }[] = [];
  expressions = 0;
  values = 0;

  refuse(path: Path, message: string): void {
    if (this.issues.length < MAX_ISSUES) this.issues.push({ path: [...path], message });
  }

  /** Names members that are not known. */
  refuseOthers(value: object, known: readonly string[], path: Path): void {
    for (const member of Object.keys(value)) {
      if (!known.includes(member)) this.refuse([...path, member], 'is not a known member');
    }
  }
}

/** A filter by its own: whether its attributes are there, {@link attributeMistakes} tells. */
export const filterSchema = z
  .custom<Filter>()
  .check((context) => {
    const review = new Review();
    const { value } = context;
    if (!isObject(value)) review.refuse([], 'Expected an object with the member where');
    else {
      review.refuseOthers(value, ['where'], []);
      reviewExpression(value.where, ['where'], 0, review);
    }
    for (const { path, message } of review.issues) {
      context.issues.push({ code: 'custom', input: value, path, message });
    }
  })
  .meta({
    description:
      'Use only those of which `where` is true. Where an attribute is null, no condition on it is ' +
      'true, not even not_in or not_equal. Numbers are equal when they are the same double, text when ' +
      `it has the same characters. At most ${MAX_EXPRESSIONS} expressions, ${DEEPEST} levels deep, ` +
      `with ${MAX_VALUES} values in all`,
    type: 'object',
    properties: { where: expressionDocument() },
    required: ['where'],
    additionalProperties: false,
  });

function reviewExpression(value: unknown, path: Path, depth: number, review: Review): void {
  if (!isObject(value)) {
    review.refuse(path, 'Expected a condition, all_of or any_of');
    return;
  }
  if (++review.expressions > MAX_EXPRESSIONS) {
    if (review.expressions === MAX_EXPRESSIONS + 1) {
      review.refuse(path, `Expected at most ${MAX_EXPRESSIONS} expressions in a filter`);
    }
    return;
  }
  const { type } = value;
  if (type === 'condition') reviewCondition(value, path, review);
  else if (type === 'all_of' || type === 'any_of') {
    review.refuseOthers(value, ['type', 'filters'], path);
    const { filters } = value;
    const inside = [...path, 'filters'];
    if (!Array.isArray(filters)) review.refuse(inside, 'Expected an array of expressions');
    else if (depth === DEEPEST) review.refuse(path, `Expected at most ${DEEPEST} levels`);
    else filters.forEach((each, i) => reviewExpression(each, [...inside, i], depth + 1, review));
  } else review.refuse([...path, 'type'], 'Expected "condition", "all_of" or "any_of"');
}

function reviewCondition(value: Record<string, unknown>, path: Path, review: Review): void {
  review.refuseOthers(value, ['type', 'attribute', 'operator', 'values', 'threshold'], path);
  const { attribute, operator, values, threshold } = value;
  if (typeof attribute !== 'string') review.refuse([...path, 'attribute'], 'Expected text');
  if ((MEMBERSHIP as readonly unknown[]).includes(operator)) {
    reviewValues(values, [...path, 'values'], review);
    if (threshold !== undefined && threshold !== null) {
      review.refuse([...path, 'threshold'], `Expected null or nothing: the operator takes values`);
    }
  } else if ((COMPARISON as readonly unknown[]).includes(operator)) {
    if (typeof threshold !== 'number' || !Number.isFinite(threshold)) {
      const message = `Expected a finite number, which the operator compares with`;
      review.refuse([...path, 'threshold'], message);
    }
    if (values !== undefined && values !== null) {
      review.refuse([...path, 'values'], `Expected null or nothing: the operator takes threshold`);
    }
  } else {
    const operators = [...MEMBERSHIP, ...COMPARISON].join(', ');
    review.refuse([...path, 'operator'], `Expected one of ${operators}`);
  }
}

function reviewValues(values: unknown, path: Path, review: Review): void {
  if (!Array.isArray(values)) {
    review.refuse(path, 'Expected an array of text or numbers');
    return;
  }
  const before = review.values;
  review.values += values.length;
  if (review.values > MAX_VALUES) {
    if (before <= MAX_VALUES) {
      review.refuse(path, `Expected at most ${MAX_VALUES} values in a filter`);
    }
    return;
  }
  values.forEach((each, i) => {
    if (typeof each === 'string') {
      if (each.length > MAX_TEXT) {
        review.refuse([...path, i], `Expected at most ${MAX_TEXT} characters`);
      }
    } else if (typeof each !== 'number' || !Number.isFinite(each)) {
      review.refuse([...path, i], 'Expected text or a finite number');
    }
  });
}

/**
 * The attribute that a condition means: by its name, or by an expression that looks a name or key up
 * in a list of attributes, as clients of an object store write it: `attributes[?name=='grade']`.
 */
export function attributeOf(attributes: Attributes, expression: string): Attribute | undefined {
  if (Object.hasOwn(attributes, expression)) return attributes[expression];
  const name = /^[A-Za-z_][\w.]{0,200}\[\?(?:name|key)==(['`"])(.{1,200})\1\]$/.exec(
    expression,
  )?.[2];
  return name !== undefined && Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

/**
 * Conditions on attributes that are not there or hold the other kind of entry, by place in the filter.
 * @param owner whose attributes they are: `source`
 */
export function attributeMistakes(
  { where }: Filter,
  attributes: Attributes,
  owner: string,
): { path: (string | number)[]; message: string }[] {
  const review = new Review();
  compare(where, ['where'], attributes, owner, review);
  return review.issues;
}

function compare(
  expression: Expression,
  path: Path,
  attributes: Attributes,
  owner: string,
  review: Review,
): void {
  if (expression.type !== 'condition') {
    expression.filters.forEach((each, i) =>
      compare(each, [...path, 'filters', i], attributes, owner, review),
    );
    return;
  }
  const attribute = attributeOf(attributes, expression.attribute);
  if (attribute === undefined) {
    review.refuse([...path, 'attribute'], `Expected the name of one of ${owner}.attributes`);
    return;
  }
  const kind = kindOf(attribute);
  if (isMembership(expression)) {
    expression.values.forEach((each, i) => {
      if (kind !== undefined && typeof each !== kind) {
        const expected = kind === 'number' ? 'a number' : 'text';
        review.refuse([...path, 'values', i], `Expected ${expected}, as the attribute has`);
      }
    });
  } else if (kind === 'string') {
    const message = 'Expected in or not_in: the attribute has text, and this compares numbers';
    review.refuse([...path, 'operator'], message);
  }
}

/** Whether a condition looks for its attribute in a list; else it compares it with a number. */
export function isMembership(condition: Condition): condition is Membership {
  return (MEMBERSHIP as readonly string[]).includes(condition.operator);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON Schema of an expression, which does not spell out those inside it. */
function expressionDocument(): Record<string, unknown> {
  const attribute = { type: 'string', description: 'Name of one of the attributes' };
  const value = { anyOf: [{ type: 'string', maxLength: MAX_TEXT }, { type: 'number' }] };
  const condition = { type: { const: 'condition' }, attribute };
  const inner = { type: 'object', description: 'Again such an expression' };
  return {
    oneOf: [
      {
        type: 'object',
        properties: {
          ...condition,
          operator: { enum: [...MEMBERSHIP] },
          values: { type: 'array', maxItems: MAX_VALUES, items: value },
          threshold: { type: 'null' },
        },
        required: ['type', 'attribute', 'operator', 'values'],
        additionalProperties: false,
      },
      {
        type: 'object',
        properties: {
          ...condition,
          operator: { enum: [...COMPARISON] },
          threshold: { type: 'number' },
          values: { type: 'null' },
        },
        required: ['type', 'attribute', 'operator', 'threshold'],
        additionalProperties: false,
      },
      {
        type: 'object',
        properties: {
          type: { enum: ['all_of', 'any_of'] },
          filters: { type: 'array', maxItems: MAX_EXPRESSIONS, items: inner },
        },
        required: ['type', 'filters'],
        additionalProperties: false,
      },
    ],
  };
}
