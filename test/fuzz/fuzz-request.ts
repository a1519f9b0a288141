import fc from 'fast-check';

/** What the fuzzer knows of an operation of the OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** As in the document: `/compute/orgs/{org_id}/tasks`. */
  readonly path: string;
  readonly query: readonly string[];
  /** Examples of its request body. */
  readonly examples: readonly unknown[];
}

/** Values that are good in their place, or would be if they were the caller's own. */
export interface World {
  readonly operations: readonly Operation[];
  readonly organizations: readonly string[];
  readonly jobs: readonly JobParts[];
  readonly tokens: readonly string[];
}

interface JobParts {
  readonly topic: string;
  readonly task: string;
  readonly job_id: string;
}

export interface FuzzedRequest {
  readonly operation: Operation;
  /** Whether path, method and framing are those of the operation, so that its document holds. */
  readonly documented: boolean;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer | null;
}

/** Text that breaks something somewhere: in paths, queries, names and values. */
const STRANGE = [
  'null',
  'undefined',
  'NaN',
  '-1',
  '0',
  '1e9',
  '9007199254740993',
  'true',
  '[]',
  '{}',
  '*',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'status',
  'logs',
  'detail',
  'tasks',
  "' OR 1=1 --",
  '"; DROP TABLE jobs; --',
  '$1',
  '%s%n',
  '${7*7}',
  '{{7*7}}',
  '$(id)',
  '`id`',
  '<script>alert(1)</script>',
  '\x1B[31m',
  'a\r\nX-Evil: 1',
  '\0',
  '‮',
  '﻿',
  '😀',
  'é',
  'İ',
  'ſ',
  '👨‍👩',
  '﷽',
  'a'.repeat(300),
  '/etc/passwd',
  '..',
  '.',
  '~',
  ';x=1',
  '00000000-0000-0000-0000-000000000000',
  '0.0',
  '1.1',
  '999999999.0',
];

const strange = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...STRANGE) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }) },
);

/** One segment of a path, or one part of a query, as the grammar of addresses wants it. */
const encoded = strange.map((text) => encodeURIComponent(text.toWellFormed()));

const orStrange = <T>(good: fc.Arbitrary<T>, weight = 8): fc.Arbitrary<T | string> =>
  fc.oneof({ weight, arbitrary: good }, { weight: 1, arbitrary: encoded });

/** What is done to a whole path, after which it is nobody's any more. */
const PATH_TRICKS: readonly ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => path.toUpperCase(),
  (path) => path.replace(/\/(?=[^/]*$)/, '%2f'),
  (path) => path.replace(/\/(?=[^/]*$)/, '//'),
  (path) => path.replace(/\/(?=[^/]*$)/, '/../'),
  (path) => path.replace(/\/(?=[^/]*$)/, '/%2e%2e/'),
  (path) => path.replace(/\/(?=[^/]*$)/, '\\'),
  (path) => `${path}%00`,
  (path) => `${path}%zz`,
  (path) => `${path}%ff%fe`,
  (path) => `${path}%c0%af`,
  (path) => `${path};a=b`,
  (path) => `${path}#fragment`,
  (path) => `${path}é`,
  (path) => `${path}%0d%0aX-Evil:%201`,
  (path) => `http://evil.example${path}`,
  (path) => path.replaceAll('/compute', '/%63ompute'),
  (path) => path.slice(1),
  () => '*',
];

/** Values of JSON that are strange in text: they are put in after the text is made. */
const RAW_VALUES = [
  '1e400',
  '-0',
  '9007199254740993',
  '1.0',
  '0.1e-400',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u2028"',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1}}',
  '[[[[[[]]]]]]',
  'NaN',
  "'x'",
  '01',
  '"\t"',
  '',
  `${'['.repeat(100)}${']'.repeat(100)}`,
  `{"a":`.repeat(80),
  `"${'x'.repeat(20_000)}"`,
  `[${'0,'.repeat(5_000)}0]`,
];
const HOLE = '@@hole@@';

/** Replaces, removes or adds something at a place of a JSON value that the numbers choose. */
function mutate(value: unknown, choice: readonly number[], put: unknown): unknown {
  const [first = 0, ...rest] = choice;
  if (typeof value !== 'object' || value === null || rest.length === 0) {
    return put;
  }
  if (Array.isArray(value)) {
    const at = first % (value.length + 1);
    return at === value.length
      ? [...value, put]
      : value.map((item, index) => (index === at ? mutate(item, rest, put) : item));
  }
  const entries = Object.entries(value);
  const at = first % (entries.length + 2);
  if (at === entries.length) {
    return { ...value, [String(put)]: put };
  }
  if (at > entries.length) {
    return Object.fromEntries(entries.slice(1));
  }
  return Object.fromEntries(
    entries.map(([key, item], index) => [key, index === at ? mutate(item, rest, put) : item]),
  );
}

const mutatedText = (examples: readonly unknown[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...examples),
      fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }),
      fc.oneof(
        fc.constant(HOLE),
        fc.jsonValue({ maxDepth: 3 }),
        fc.constantFrom<unknown>(null, true, -1, 1e308, 0.5, '', [], {}, 'x'),
        strange,
      ),
      fc.constantFrom(...RAW_VALUES),
    )
    .map(([example, choice, put, raw]) =>
      JSON.stringify(mutate(example, choice, put)).replaceAll(`"${HOLE}"`, () => raw),
    );

/** A text that was cut, has a byte flipped, or a piece of itself put in again. */
const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc.tuple(text, fc.nat(3), fc.nat(10_000), fc.nat(255)).map(([whole, kind, place, byte]) => {
    const bytes = Buffer.from(whole);
    const at = bytes.length === 0 ? 0 : place % bytes.length;
    switch (kind) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at)]);
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes]);
      default:
        return Buffer.concat([Buffer.from('\uFEFF'), bytes]);
    }
  });

function bodyOf({ examples }: Operation): fc.Arbitrary<Buffer | null> {
  if (examples.length === 0) {
    return fc.oneof(
      { weight: 9, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    );
  }
  const good = fc.constantFrom(...examples).map((example) => JSON.stringify(example));
  return fc.oneof(
    { weight: 1, arbitrary: good.map((text) => Buffer.from(text)) },
    { weight: 8, arbitrary: mutatedText(examples).map((text) => Buffer.from(text)) },
    { weight: 3, arbitrary: damaged(good) },
    { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

/** Bytes that a header value may have: what else there is, the parser refuses before any route. */
const headerValue = fc.oneof(
  fc.constantFrom('', '*', 'opt-in', '0', '-1', 'wait=0', 'respond-async', 'x'.repeat(2_000)),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
  fc.uint8Array({ min: 0xa0, max: 0xff, minLength: 1, maxLength: 20 }).map(latin1),
);

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

const HEADERS = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'API-Preview',
  'Content-Encoding',
  'Cookie',
  'Forwarded',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'Origin',
  'Last-Event-ID',
  'Prefer',
  'Range',
  'Referer',
  'Traceparent',
  'User-Agent',
  'X-Request-Id',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-HTTP-Method-Override',
  'X-Original-URL',
  'DNT',
];

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];

const mostly = <T>(usual: T, other: fc.Arbitrary<T>, weight = 8): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

/** Requests for the operations of a document: good ones, nearly good ones, and nonsense. */
export function requests(world: World): fc.Arbitrary<FuzzedRequest> {
  return fc.oneof(...world.operations.map((operation) => requestsOf(operation, world)));
}

function requestsOf(operation: Operation, world: World): fc.Arbitrary<FuzzedRequest> {
  return fc
    .record({
      job: fc.constantFrom(...world.jobs),
      parts: fc.record({
        org_id: orStrange(fc.constantFrom(...world.organizations), 30),
        topic: orStrange(fc.constant(''), 15),
        task: orStrange(fc.constant(''), 15),
        job_id: orStrange(mostly('', fc.uuid({ version: 7 }))),
      }),
      trick: mostly((path: string) => path, fc.constantFrom(...PATH_TRICKS)),
      method: mostly(operation.method, fc.constantFrom(...METHODS), 15),
      query: fc.array(
        fc.tuple(
          operation.query.length === 0
            ? encoded
            : orStrange(fc.constantFrom(...operation.query), 4),
          orStrange(fc.constantFrom('1', '5', 'true', '0.0'), 2),
        ),
        { maxLength: 3 },
      ),
      token: mostly(
        `Bearer ${world.tokens[0]}`,
        fc.oneof(
          fc.constantFrom(...world.tokens.map((each) => `Bearer ${each}`)),
          fc.constantFrom('Basic YTpi', 'Bearer', 'Bearer a.b.c', 'bearer'),
          headerValue,
        ),
        12,
      ),
      type: mostly(
        'application/json',
        fc.oneof(fc.constantFrom('text/plain', 'application/json; charset=utf-16'), headerValue),
        12,
      ),
      more: fc.uniqueArray(fc.tuple(fc.constantFrom(...HEADERS), headerValue), {
        maxLength: 3,
        selector: ([name]) => name,
      }),
      body: bodyOf(operation),
    })
    .map((drawn) => {
      const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
        const part = drawn.parts[name as keyof typeof drawn.parts];
        // Mostly the parts of one job, so that it is found.
        return part === '' ? drawn.job[name as keyof JobParts] : part;
      });
      const tricked = drawn.trick(path);
      const query = drawn.query.map((pair) => pair.join('=')).join('&');
      return {
        operation,
        documented: tricked === path && drawn.method === operation.method,
        method: drawn.method,
        target: query === '' ? tricked : `${tricked}?${query}`,
        headers: [
          'Host: fuzz.example',
          `Authorization: ${drawn.token}`,
          ...(drawn.body === null ? [] : [`Content-Type: ${drawn.type}`]),
          ...drawn.more.map(([name, value]) => `${name}: ${value}`),
        ],
        body: drawn.body,
      };
    });
}
