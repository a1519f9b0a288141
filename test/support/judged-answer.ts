import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ANSWERS } from '../../src/answers.js';
import { SDK_HEADER } from '../../src/jobs/job/job-links.js';
import { PROBLEM } from '../../src/platform/http/problem/problem.schema.js';

interface Documented {
  readonly method: string;
  readonly path: RegExp;
  readonly responses: Readonly<
    Record<string, { readonly content?: { 'application/json'?: { schema: { $ref: string } } } }>
  >;
}

const SNAPSHOT = new URL('../../docs/openapi.json', import.meta.url);
const BY_REFERENCE = new Map<string, z.ZodType>(
  ANSWERS.map((schema) => [`#/components/schemas/${schema.meta()?.id}`, schema]),
);
const ROUTES = documentedRoutes();

/**
 * Judges an answer by the schema of its body, which the OpenAPI document is made from: members that the
 * schema does not know are refused. What the document leaves out, such as pages for people, passes.
 * @throws Error that says what is wrong with it
 */
export function judgeAnswer(
  request: { readonly method: string; readonly url: string; readonly headers: Headers },
  { status, headers, text }: { status: number; headers: Headers; text: string },
): void {
  const { method } = request;
  if (method === 'HEAD' || method === 'OPTIONS') {
    return;
  }
  const { pathname } = new URL(request.url);
  const told = `${method} ${pathname} answered ${status}`;
  if (status >= 400) {
    expectBody(told, 'application/problem+json', PROBLEM, { headers, text });
    return;
  }
  const route = ROUTES.find((each) => each.method === method && each.path.test(pathname));
  if (route === undefined) {
    return;
  }
  const documented = route.responses[status];
  if (documented === undefined) {
    throw new Error(`${told}, which is not documented`);
  }
  const reference = documented.content?.['application/json']?.schema.$ref;
  if (reference === undefined) {
    if (text !== '') {
      throw new Error(`${told} with a body that is not documented: ${text}`);
    }
    return;
  }
  const schema = BY_REFERENCE.get(reference);
  if (schema === undefined) {
    throw new Error(`there is no schema of the name ${reference}`);
  }
  expectBody(told, 'application/json; charset=utf-8', schema, {
    headers,
    text: request.headers.has(SDK_HEADER) ? respelled(text) : text,
  });
}

/** The real `fetch`; what it answers is judged. */
export const judgedFetch: typeof fetch = async (input, init) => {
  const request = new Request(input, { ...init, body: null });
  const response = await fetch(input, init);
  const { status, headers } = response;
  if (headers.get('content-type')?.startsWith('text/event-stream') === true) {
    // It may never end: whoever reads it judges its events.
    return response;
  }
  judgeAnswer(request, { status, headers, text: await response.clone().text() });
  return response;
};

function expectBody(
  told: string,
  type: string,
  schema: z.ZodType,
  { headers, text }: { headers: Headers; text: string },
): void {
  if (headers.get('content-type') !== type) {
    throw new Error(`${told} with ${headers.get('content-type')} instead of ${type}`);
  }
  const { error } = schema.safeParse(JSON.parse(text));
  if (error !== undefined) {
    throw new Error(
      `${told} with a body that its schema refuses:\n${z.prettifyError(error)}\n${text}`,
    );
  }
}

/** Schemas know the contract's spelling alone. */
const respelled = (text: string): string =>
  JSON.stringify(
    JSON.parse(text, (name, value) =>
      ['status', 'outcome'].includes(name) && /^cancell(ing|ed)$/.test(value)
        ? value.replace('ll', 'l')
        : value,
    ),
  );

/** The routes of the document, but for those that say again what others say, of one task. */
function documentedRoutes(): Documented[] {
  const { paths } = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as {
    paths: Record<string, Record<string, Pick<Documented, 'responses'>>>;
  };
  return (
    Object.entries(paths)
      // The routes of each task are among those of all tasks; words come before what stands for any word.
      .filter(([path]) => !/\{org_id\}\/(?!jobs\/)[\w-]+\//.test(path))
      .toSorted(([one], [other]) => one.split('{').length - other.split('{').length)
      .flatMap(([path, item]) =>
        Object.entries(item).map(([method, { responses }]) => ({
          method: method.toUpperCase(),
          path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
          responses,
        })),
      )
  );
}
