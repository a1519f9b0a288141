import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import {
  PROBLEMS,
  problemType,
  type ProblemSlug,
} from '../../src/platform/http/problem/problem.js';
import { LEAKS } from '../support/problems.js';
import type { RawAnswer } from '../support/raw-http.js';
import type { FuzzedRequest, Operation } from './fuzz-request.js';

/** The parts of the served document that the fuzzer reads. */
export interface OpenApi {
  readonly components: object;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

interface DocumentedOperation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly examples: Readonly<Record<string, { readonly value: unknown }>> }>
    >;
  };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** Refusals of HTTP itself, which no route has a say in: the document does not repeat them. */
const OF_THE_PROTOCOL = ['malformed-request', 'expectation-failed', 'header-fields-too-large'];

/** Judges answers by the document that describes them. */
export class Judge {
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
  private readonly validators = new Map<object, ValidateFunction>();

  /** @param canary what other organizations' rows are full of */
  constructor(
    private readonly document: OpenApi,
    private readonly canary: string,
  ) {}

  operations(): Operation[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        query: (operation.parameters ?? [])
          .filter((parameter) => parameter.in === 'query')
          .map(({ name }) => name),
        examples: Object.values(operation.requestBody?.content ?? {}).flatMap(({ examples }) =>
          Object.values(examples).map(({ value }) => value),
        ),
      })),
    );
  }

  /** What is wrong with an answer; null when nothing is. */
  faultOf(request: FuzzedRequest, answer: RawAnswer): string | null {
    const { status, headers, text } = answer;
    const whole = `${JSON.stringify([...headers])}${text}`;
    if (status >= 500) {
      return `answered ${status}: ${text}`;
    }
    if (whole.includes(this.canary)) {
      return `answered what belongs to another organization: ${whole}`;
    }
    if (headers.has('x-evil') || !headers.has('x-request-id')) {
      return `has other headers than it should: ${JSON.stringify([...headers])}`;
    }
    const type = headers.get('content-type');
    if (status >= 400) {
      return problemFault(status, type, text) ?? this.documentFault(request, answer);
    }
    return this.documentFault(request, answer);
  }

  private documentFault({ operation, documented, headers }: FuzzedRequest, answer: RawAnswer) {
    if (!documented) {
      return null;
    }
    const { status, text } = answer;
    const slug = status < 400 ? null : slugOf(text);
    const item = this.document.paths[operation.path] as Record<string, DocumentedOperation>;
    const response = item[operation.method.toLowerCase()]?.responses[status];
    if (response === undefined) {
      return OF_THE_PROTOCOL.includes(String(slug))
        ? null
        : `answered ${status}, which ${operation.method} ${operation.path} does not document`;
    }
    const [type] = Object.keys(response.content ?? {});
    if (type === undefined) {
      return null;
    }
    if (answer.headers.get('content-type')?.split(';')[0] !== type) {
      return `answered ${answer.headers.get('content-type')} instead of ${type}`;
    }
    // The clients of that header want a spelling that the schemas leave to their descriptions.
    if (!type.endsWith('json') || headers.some((line) => line.startsWith('Evo-SDK-Source:'))) {
      return null;
    }
    const validate = this.validator(response.content?.[type]?.schema as object);
    return validate(JSON.parse(text))
      ? null
      : `answered ${status} with a body that its schema refuses: ${this.ajv.errorsText(validate.errors)}: ${text}`;
  }

  /** References lead into the document's components, which therefore go along. */
  private validator(schema: object): ValidateFunction {
    const { components } = this.document;
    const known = this.validators.get(schema) ?? this.ajv.compile({ ...schema, components });
    this.validators.set(schema, known);
    return known;
  }
}

function slugOf(text: string): string | null {
  const { type } = JSON.parse(text) as { type: string };
  return Object.keys(PROBLEMS).find((slug) => problemType(slug) === type) ?? null;
}

/** Every refusal, on whatever path, is a problem of the table, and tells nothing of the machinery. */
function problemFault(status: number, type: string | null, text: string): string | null {
  if (type !== 'application/problem+json') {
    return `answered ${status} with ${type}`;
  }
  const slug = slugOf(text) as ProblemSlug | null;
  if (slug === null || PROBLEMS[slug][0] !== status) {
    return `answered ${status} with another problem: ${text}`;
  }
  // Names of members may be anything: they are the client's own.
  const { detail } = JSON.parse(text) as { detail: string };
  return LEAKS.test(detail) ? `tells of the machinery: ${detail}` : null;
}
