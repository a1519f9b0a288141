import { z } from 'zod';

/** Locations: one array of two or three numbers each, all of the same dimension. */
export type Coordinates = number[][];

/**
 * Largest absolute coordinate, in the units of the data. Differences, squares and ratios to the
 * smallest range (1e-9) stay far inside double precision below it.
 */
export const LARGEST_COORDINATE = 1e12;

/** A caller learns from the first few mistakes; a million of them would only cost memory. */
const MAX_ISSUES = 20;

interface Issue {
  readonly path: (string | number)[];
  readonly message: string;
}

/**
 * A list of locations, checked in one pass that stops after the first twenty mistakes.
 *
 * `z.array(z.array(z.number()))` would say the same, but takes 0.8 s for a million locations and,
 * when they are all wrong, 5 s and 1.8 GB for two million issues: too much for a request handler.
 * The JSON Schema, which a custom check cannot tell, is given beside it.
 * @param longest most locations allowed
 */
export function coordinatesSchema(longest: number, description: string) {
  return z
    .custom<Coordinates>()
    .check((context) => {
      for (const { path, message } of mistakes(context.value, longest)) {
        context.issues.push({ code: 'custom', input: context.value, path, message });
      }
    })
    .meta({
      description,
      type: 'array',
      minItems: 1,
      maxItems: longest,
      items: {
        type: 'array',
        minItems: 2,
        maxItems: 3,
        items: { type: 'number', minimum: -LARGEST_COORDINATE, maximum: LARGEST_COORDINATE },
      },
    });
}

/**
 * A list of numbers, checked like {@link coordinatesSchema}.
 * @param limit largest absolute value
 */
export function numbersSchema(longest: number, limit: number, description: string) {
  return z
    .custom<number[]>()
    .check((context) => {
      for (const { path, message } of numberMistakes(context.value, longest, limit)) {
        context.issues.push({ code: 'custom', input: context.value, path, message });
      }
    })
    .meta({
      description,
      type: 'array',
      minItems: 1,
      maxItems: longest,
      items: { type: 'number', minimum: -limit, maximum: limit },
    });
}

function mistakes(value: unknown, longest: number): Issue[] {
  const list = listMistake(value, longest, 'locations');
  if (list) return [list];
  const found: Issue[] = [];
  const locations = value as unknown[];
  const dimension = Array.isArray(locations[0]) ? locations[0].length : 2;
  for (let i = 0; i < locations.length && found.length < MAX_ISSUES; i++) {
    const location = locations[i];
    if (!Array.isArray(location) || location.length < 2 || location.length > 3) {
      found.push({ path: [i], message: 'Expected [x, y] or [x, y, z]' });
    } else if (location.length !== dimension) {
      const message = `Expected ${dimension} coordinates, as in the first location, not ${location.length}`;
      found.push({ path: [i], message });
    } else {
      for (let axis = 0; axis < dimension; axis++) {
        const message = numberMistake(location[axis], LARGEST_COORDINATE);
        if (message) found.push({ path: [i, axis], message });
      }
    }
  }
  return found;
}

function numberMistakes(value: unknown, longest: number, limit: number): Issue[] {
  const list = listMistake(value, longest, 'numbers');
  if (list) return [list];
  const found: Issue[] = [];
  const numbers = value as unknown[];
  for (let i = 0; i < numbers.length && found.length < MAX_ISSUES; i++) {
    const message = numberMistake(numbers[i], limit);
    if (message) found.push({ path: [i], message });
  }
  return found;
}

function listMistake(value: unknown, longest: number, noun: string): Issue | undefined {
  if (!Array.isArray(value)) return { path: [], message: `Expected an array of ${noun}` };
  if (value.length === 0) return { path: [], message: 'Expected at least 1 item' };
  if (value.length > longest) {
    return { path: [], message: `Expected at most ${longest} ${noun}, not ${value.length}` };
  }
  return undefined;
}

function numberMistake(value: unknown, limit: number): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'Expected a finite number';
  if (Math.abs(value) > limit) return `Expected a number from ${-limit} to ${limit}`;
  return undefined;
}
