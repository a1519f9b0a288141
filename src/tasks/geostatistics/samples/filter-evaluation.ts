import type { Attributes } from './attributes.schema.js';
import {
  attributeOf,
  type Comparison,
  type Condition,
  type Expression,
  type Filter,
  isMembership,
} from './filter.schema.js';

/** Whether the sample or point of an index passes. */
export type Passes = (index: number) => boolean;

/**
 * A filter made ready to be asked often. `all_of` of nothing is true and `any_of` of nothing is false.
 * @param attributes those that the filter was checked against
 */
export function readyFilter({ where }: Filter, attributes: Attributes): Passes {
  return readyExpression(where, attributes);
}

function readyExpression(expression: Expression, attributes: Attributes): Passes {
  switch (expression.type) {
    case 'all_of': {
      const all = expression.filters.map((each) => readyExpression(each, attributes));
      return (index) => all.every((passes) => passes(index));
    }
    case 'any_of': {
      const any = expression.filters.map((each) => readyExpression(each, attributes));
      return (index) => any.some((passes) => passes(index));
    }
    case 'condition':
      return readyCondition(expression, attributes);
    default:
      return expression satisfies never;
  }
}

/** Of an entry that is null nothing is true. */
function readyCondition(condition: Condition, attributes: Attributes): Passes {
  const entries = attributeOf(attributes, condition.attribute) ?? [];
  const holds = readyTest(condition);
  return (index) => {
    const entry = entries[index];
    return entry !== undefined && entry !== null && holds(entry);
  };
}

function readyTest(condition: Condition): (entry: number | string) => boolean {
  if (isMembership(condition)) {
    // A set takes -0 and 0 for one, as === does.
    const values = new Set(condition.values);
    const wanted = condition.operator === 'in';
    return (entry) => values.has(entry) === wanted;
  }
  return readyComparison(condition);
}

/** @returns a test of numbers: the check of the filter keeps text away */
function readyComparison({ operator, threshold }: Comparison): (entry: number | string) => boolean {
  switch (operator) {
    case 'equal':
      return (entry) => entry === threshold;
    case 'not_equal':
      return (entry) => entry !== threshold;
    case 'greater_than':
      return (entry) => (entry as number) > threshold;
    case 'greater_than_or_equal_to':
      return (entry) => (entry as number) >= threshold;
    case 'less_than':
      return (entry) => (entry as number) < threshold;
    case 'less_than_or_equal_to':
      return (entry) => (entry as number) <= threshold;
    default:
      return operator satisfies never;
  }
}
