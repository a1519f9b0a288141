import { lengthOf, memberOf, type Packed } from './packed.js';

/**
 * What stands at a place such as `results.target.values`; `[]` behind a name takes what follows of each
 * member of a list, `results.lags[].distance`. Undefined when there is nothing.
 */
export function at(document: Packed, place: string): Packed | undefined {
  return follow(document, place.split('.'));
}

function follow(value: Packed | undefined, names: readonly string[]): Packed | undefined {
  if (value === undefined) return undefined;
  const [name, ...rest] = names;
  if (name === undefined) return value;
  const isEach = name.endsWith('[]');
  const member = memberNamed(value, isEach ? name.slice(0, -2) : name);
  if (!isEach) return follow(member, rest);
  const length = member === undefined ? null : lengthOf(member);
  return length === null
    ? undefined
    : Array.from({ length }, (_, index) => follow(memberOf(member as Packed, index), rest) ?? null);
}

function memberNamed(value: Packed, name: string): Packed | undefined {
  if (typeof value !== 'object' || value === null || lengthOf(value) !== null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, Packed>)[name] : undefined;
}
