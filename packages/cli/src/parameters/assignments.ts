import { usageError } from '../cli-error.js';

type Json = Record<string, unknown>;

/** `name=value`, where dots in the name lead into objects and lists. */
const ASSIGNMENT = /^([A-Za-z_][\w-]*(?:\.[\w-]+)*)=(.*)$/s;

/** Whether a text sets a member rather than naming a file. */
export function isAssignment(text: string): boolean {
  return ASSIGNMENT.test(text);
}

/**
 * Sets a member of parameters: its value is JSON where it can be read as such, else text.
 * @param text for which {@link isAssignment} holds
 * @throws CliError when the way leads through what is no object or list
 */
export function assign(parameters: Json, text: string): void {
  const [, name = '', value = ''] = ASSIGNMENT.exec(text) ?? [];
  const steps = name.split('.');
  const last = steps.pop() ?? '';
  let at: unknown = parameters;
  for (const [index, step] of steps.entries()) {
    const inside = memberOf(at, step);
    const next = inside ?? {};
    if (typeof next !== 'object') throw notInside(steps.slice(0, index + 1), name);
    if (inside === undefined || inside === null) set(at, step, next, name);
    at = next;
  }
  set(at, last, valueOf(value), name);
}

/**
 * Puts the members of one object into another, objects into objects; anything else replaces what was there.
 */
export function merge(into: Json, more: object): void {
  for (const [name, value] of Object.entries(more)) {
    const there = memberOf(into, name);
    if (isObject(there) && isObject(value)) merge(there, value);
    else set(into, name, value, name);
  }
}

function memberOf(container: unknown, step: string): unknown {
  const isThere = typeof container === 'object' && container !== null;
  return isThere && Object.hasOwn(container, step) ? (container as Json)[step] : undefined;
}

/** Defined and not set: `__proto__` is a name like another, which the service will refuse. */
function set(container: unknown, step: string, value: unknown, name: string): void {
  const isOutside =
    Array.isArray(container) && !(/^\d+$/.test(step) && Number(step) <= container.length);
  if (isOutside) {
    throw usageError(
      `--parameters ${name}: ${step} is no place in a list of ${container.length}.`,
      'Places count from 0; the one after the last adds to the list.',
    );
  }
  Object.defineProperty(container, step, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notInside(steps: readonly string[], name: string): Error {
  return usageError(
    `--parameters ${name}: ${steps.join('.')} is neither an object nor a list.`,
    'Set it whole, as JSON: --parameters \'name={"member": 1}\'',
  );
}
