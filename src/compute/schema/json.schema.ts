import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { placeOf } from '../../platform/http/body/i-json.js';
import type { InvalidParam } from '../../platform/http/problem/problem.js';
import { patternFault } from './pattern-check.js';
import { cutText } from '../../platform/text/cut-text.js';

/** A longer text matches no `pattern`: a bound beside {@link patternFault}, which proves for most only. */
const MAX_MATCHED = 10_000;
/** `uniqueItems` compares each item with each other one. */
const MAX_UNIQUE = 10_000;
/** Longest list of allowed values that a reason repeats. */
const MAX_REASON = 200;

class BoundedRegExp extends RegExp {
  override test(text: string): boolean {
    return text.length <= MAX_MATCHED && super.test(text);
  }
}

/** Called while a schema is compiled, for each `pattern` and each name of `patternProperties`. */
function boundedRegExp(pattern: string, flags: string): RegExp {
  const compiled = new BoundedRegExp(pattern, flags);
  const fault = patternFault(pattern);
  if (fault !== null) {
    throw new Error(fault);
  }
  return compiled;
}

/**
 * What all schemas have in common. `strict` refuses misspelled keywords; only own members count, so
 * that `constructor` is no member of every object; the first fault ends the check, so that a body of a
 * million wrong numbers costs no more than one; `format` is an annotation, as 2020-12 has it.
 */
const SETTINGS = {
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allErrors: false,
  ownProperties: true,
  validateFormats: false,
  addUsedSchema: false,
  logger: false,
  code: {
    regExp: Object.assign(boundedRegExp, { code: 'boundedRegExp' }),
  },
} as const;

// One of each for all schemas: compiling the schema of schemas takes longer than compiling one.
const JUDGE = new Ajv2020(SETTINGS);
const FILLER = new Ajv2020({ ...SETTINGS, useDefaults: true });

/** A JSON Schema (2020-12) that has been compiled: what a manifest judges parameters and results by. */
export class JsonSchema {
  private readonly judge: ValidateFunction;
  private readonly judgeAndFill: ValidateFunction;

  /** @throws Error that says what is wrong with the schema, and where */
  constructor(readonly document: Readonly<Record<string, unknown>>) {
    if (document.type !== 'object') {
      throw new Error('needs "type": "object" at its top');
    }
    refuseUnboundedUniqueItems(document, []);
    this.judge = JUDGE.compile(document);
    this.judgeAndFill = FILLER.compile(document);
  }

  /** The first fault of a value, by place and without anything of the value; null when it has none. */
  faultOf(value: unknown, root: string): InvalidParam | null {
    return this.judge(value) ? null : describe(this.judge.errors ?? [], value, root);
  }

  /** The same, but first fills in the defaults of members that are not there: changes the value. */
  fillAndFaultOf(value: unknown, root: string): InvalidParam | null {
    return this.judgeAndFill(value) ? null : describe(this.judgeAndFill.errors ?? [], value, root);
  }
}

/** Keywords that only say that one of their own schemas was not met. */
const COMPOSED = new Set(['anyOf', 'oneOf', 'if', 'not']);

/** Of the branches of an `anyOf`, the one that came closest speaks. */
function describe(errors: readonly ErrorObject[], value: unknown, root: string): InvalidParam {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length;
  const plain = errors.filter(({ keyword }) => !COMPOSED.has(keyword));
  const deepest = plain.reduce<ErrorObject | undefined>(
    (best, error) => (best === undefined || depth(error) > depth(best) ? error : best),
    undefined,
  );
  const top = errors.at(-1) as ErrorObject;
  const fault = deepest !== undefined && depth(deepest) > depth(top) ? deepest : top;
  const [member, reason] = reasonOf(fault);
  const path = [root, ...pathOf(fault.instancePath, value)];
  return { name: placeOf(member === null ? path : [...path, member]), reason };
}

/** What is wrong, and the member that it is about when that lies below the place of the error. */
function reasonOf({ keyword, params, message }: ErrorObject): [string | null, string] {
  switch (keyword) {
    case 'required':
      return [String(params.missingProperty), 'is required'];
    case 'additionalProperties':
      return [String(params.additionalProperty), 'is not a known member'];
    case 'unevaluatedProperties':
      return [String(params.unevaluatedProperty), 'is not a known member'];
    case 'propertyNames':
      return [String(params.propertyName), 'has a name that is not allowed'];
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map((each) => JSON.stringify(each));
      const reason = `must be one of ${allowed.join(', ')}`;
      return [null, reason.length <= MAX_REASON ? reason : 'must be an allowed value'];
    }
    case 'const':
      return [null, `must be ${cutText(JSON.stringify(params.allowedValue), MAX_REASON)}`];
    case 'pattern':
      return [null, `${message}, with at most ${MAX_MATCHED} characters`];
    default:
      return [null, message ?? `is refused by ${keyword}`];
  }
}

/** The path of a JSON pointer, with the indices of arrays as numbers. */
function pathOf(pointer: string, value: unknown): (string | number)[] {
  let node = value;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const step = Array.isArray(node) ? Number(key) : key;
      node = (node as Record<string | number, unknown> | null | undefined)?.[step];
      return step;
    });
}

/** Comparing a million items with each other would block the event loop. */
function refuseUnboundedUniqueItems(node: unknown, path: (string | number)[]): void {
  if (typeof node !== 'object' || node === null) {
    return;
  }
  if (!Array.isArray(node)) {
    const { uniqueItems, maxItems } = node as { uniqueItems?: unknown; maxItems?: unknown };
    if (uniqueItems === true && !(typeof maxItems === 'number' && maxItems <= MAX_UNIQUE)) {
      throw new Error(
        `${placeOf(path) || 'its top'} has uniqueItems, and so needs maxItems of at most ${MAX_UNIQUE}`,
      );
    }
  }
  for (const [key, child] of Object.entries(node)) {
    refuseUnboundedUniqueItems(child, [...path, Array.isArray(node) ? Number(key) : key]);
  }
}
