import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ANSWERS } from './answers.js';
import { BEARER } from './auth/auth.decorators.js';
import { TASK_CATALOGUE, type TaskCatalogue, taskKey } from './compute/catalogue/task-catalogue.js';
import { EXECUTE_OPTIONS } from './compute/execute/execute-options.js';
import { EXECUTE_OPTIONS_REF } from './compute/execute/execute.openapi.js';
import { jsonSchemaOf } from './compute/schema/task.schema.js';
import type { Task } from './compute/task.js';
import { JOB_RESULTS } from './jobs/read/results.schema.js';
import type { Config } from './platform/config.js';
import { asComponent, componentsOf, referenceTo } from './platform/http/openapi/components.js';
import type {
  OperationObject,
  PathItemObject,
  ResponseObject,
} from './platform/http/openapi/openapi-types.js';
import { VERSION } from './platform/version.js';

const EXECUTE = '/compute/orgs/{org_id}/{topic}/{task}';
const RESULTS = `${EXECUTE}/{job_id}`;

const RATE_LIMIT_HEADERS: NonNullable<ResponseObject['headers']> = {
  'RateLimit-Policy': {
    description:
      'The limit that the request counted for: its name, `q` requests in `w` seconds (draft-ietf-httpapi-ratelimit-headers). Absent where there is no limit.',
    schema: { type: 'string', examples: ['"polls";q=60000;w=60'] },
  },
  RateLimit: {
    description:
      'About how many requests are left of it (`r`), and the seconds until it is whole again (`t`).',
    schema: { type: 'string', examples: ['"polls";r=59876;t=1'] },
  },
};

const DESCRIPTION = `Execute a task, poll its status, fetch its results or its error, cancel it.

1. **Authorize** with a bearer token (\`npm run token -- --org <uuid>\` prints one for development).
2. **Execute** a task: the answer is 303, and its \`Location\` is the path of the job's status.
   A browser follows it at once, so that Try it out shows the status.
3. **Poll** the status until it answers 200, then fetch the results.

Every error is a problem document (RFC 9457); docs/errors.md lists them.`;

/** Serves Swagger UI at `/docs` and the OpenAPI 3.1 document at `/openapi.json`. */
export function serveOpenApi(app: INestApplication, config: Config): void {
  SwaggerModule.setup('docs', app, openApiDocument(app, config), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Headframe API',
    swaggerOptions: {
      persistAuthorization: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      tryItOutEnabled: true,
    },
  });
}

/** The document: every route, and every task of the catalogue with its own schemas and example. */
export function openApiDocument(
  app: INestApplication,
  config: Pick<Config, 'PUBLIC_URL'>,
): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.1')
    .setTitle('Headframe Task API')
    .setVersion(VERSION)
    .setDescription(DESCRIPTION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, BEARER)
    .addTag('Tasks', 'Which tasks there are, and how to execute one.')
    .addTag('Jobs', 'What became of a job, and how to cancel it.')
    .addTag('Administration', 'For administrators of an organization: scope `compute:admin`.')
    .addTag('Service', 'For orchestrators: no token needed.');
  if (config.PUBLIC_URL !== undefined) {
    builder.addServer(config.PUBLIC_URL);
  }
  const document = SwaggerModule.createDocument(app, builder.build());
  document.components = {
    ...document.components,
    headers: RATE_LIMIT_HEADERS,
    schemas: {
      ...componentsOf(ANSWERS),
      ExecuteOptions: asComponent(jsonSchemaOf(EXECUTE_OPTIONS, 'input'), 'ExecuteOptions'),
    },
  };
  for (const [path, item] of Object.entries(document.paths)) {
    if (path.startsWith('/compute/')) {
      operationsOf(item).forEach(addRateLimit);
    }
  }
  const catalogue = app.get<TaskCatalogue>(TASK_CATALOGUE);
  if (document.paths[EXECUTE] !== undefined) {
    catalogue.entries.forEach(({ task }) => addTask(document, task, catalogue));
  }
  operationsIn(document).forEach(addRequestId);
  return document;
}

/** Beside the general routes, each task has its own: with its schemas, and an example that works. */
function addTask(document: OpenAPIObject, task: Task, catalogue: TaskCatalogue): void {
  const id = [task.topic, task.name].map(pascalCase).join('');
  const schemas = catalogue.schemasOf(task);
  Object.assign(document.components?.schemas ?? {}, {
    [`${id}Parameters`]: asComponent(schemas.parameters, `${id}Parameters`),
    [`${id}Results`]: asComponent(schemas.results, `${id}Results`),
  });
  const own = (path: string) => path.replace('{topic}', task.topic).replace('{task}', task.name);
  const tag = `Task ${taskKey(task)}`;
  document.tags?.push({ name: tag, description: task.description });

  const execute = structuredClone(document.paths[EXECUTE]?.post) as OperationObject;
  document.paths[own(EXECUTE)] = {
    post: {
      ...withoutTaskParameters(execute),
      operationId: `execute${id}`,
      summary: `Execute ${task.displayName} (version ${task.version})`,
      tags: [tag],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['parameters'],
              properties: {
                parameters: { $ref: `#/components/schemas/${id}Parameters` },
                options: EXECUTE_OPTIONS_REF,
              },
            },
            examples: { [task.name]: { value: { parameters: task.example } } },
          },
        },
      },
    },
  };

  const results = structuredClone(document.paths[RESULTS]?.get) as OperationObject;
  (results.responses['200'] as ResponseObject).content = {
    'application/json': {
      schema: {
        allOf: [
          referenceTo(JOB_RESULTS),
          {
            type: 'object',
            properties: { results: { $ref: `#/components/schemas/${id}Results` } },
          },
        ],
      },
    },
  };
  document.paths[own(RESULTS)] = {
    get: {
      ...withoutTaskParameters(results),
      operationId: `get${id}Results`,
      summary: `Results of ${task.displayName}`,
      tags: [tag],
    },
  };
}

const withoutTaskParameters = (operation: OperationObject): OperationObject => ({
  ...operation,
  parameters: operation.parameters?.filter(
    (parameter) => !('name' in parameter) || !['topic', 'task'].includes(parameter.name),
  ) as NonNullable<OperationObject['parameters']>,
});

/** What is judged before the limit says nothing of it. */
const BEFORE_THE_LIMIT = ['401', '403'];

function addRateLimit(operation: OperationObject): void {
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!BEFORE_THE_LIMIT.includes(status)) {
      (response as ResponseObject).headers = {
        ...(response as ResponseObject).headers,
        'RateLimit-Policy': { $ref: '#/components/headers/RateLimit-Policy' },
        RateLimit: { $ref: '#/components/headers/RateLimit' },
      };
    }
  }
}

function addRequestId(operation: OperationObject): void {
  for (const response of Object.values(operation.responses)) {
    (response as ResponseObject).headers = {
      ...(response as ResponseObject).headers,
      'X-Request-Id': {
        description: 'The id of the request: its own `X-Request-Id` when well-formed, else made.',
        schema: { type: 'string' },
      },
    };
  }
}

const operationsIn = (document: OpenAPIObject): OperationObject[] =>
  Object.values(document.paths).flatMap(operationsOf);

const operationsOf = (item: PathItemObject): OperationObject[] =>
  Object.values(item as Record<string, unknown>).filter(
    (member): member is OperationObject =>
      typeof member === 'object' && member !== null && 'responses' in member,
  );

const pascalCase = (words: string): string =>
  words.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
