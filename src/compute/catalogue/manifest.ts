import { z } from 'zod';
import { CONFIG_SCHEMA } from '../../platform/config.js';
import { placeOf } from '../../platform/http/body/i-json.js';
import { faultOfJson } from '../../platform/http/body/json-fault.js';
import { JsonSchema } from '../schema/json.schema.js';
import { BRACES, OWN_VARIABLES, PLACEHOLDERS, type Placeholder } from './process-command.js';
import type { ProcessTask } from '../task.js';
import { MAX_TIMEOUT_SECONDS, TASK_NAME, TOPIC, VERSION } from './task-loader.js';
import { VIEWS } from './view.schema.js';

const OBJECT = z.record(z.string(), z.unknown());
const WORDS = z.array(z.string().min(1)).max(256);

const VARIABLE = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
  .refine(
    (name) => !Object.hasOwn(CONFIG_SCHEMA.shape, name),
    "is the service's own, and no command gets it",
  )
  .refine(
    (name) => !OWN_VARIABLES.includes(name) && !name.startsWith('HEADFRAME_'),
    'is set by the service',
  );

/** A manifest, `task.json`, in the words of the wire. */
const MANIFEST = z.strictObject({
  /** For editors. */
  $schema: z.string().optional(),
  topic: TOPIC,
  name: TASK_NAME,
  display_name: z.string().min(1),
  version: VERSION,
  description: z.string().min(1),
  command: WORDS.min(1),
  launcher: WORDS.default([]),
  cancel: WORDS.default([]),
  parameters: OBJECT,
  results: OBJECT,
  example: OBJECT,
  view: VIEWS.optional(),
  timeout_seconds: z.number().positive().max(MAX_TIMEOUT_SECONDS),
  grace_seconds: z.number().min(0).max(60).default(5),
  max_attempts: z.int().min(1).max(100).default(1),
  backoff: z
    .strictObject({ first_seconds: z.number().positive(), longest_seconds: z.number().positive() })
    .optional(),
  feature_flag: z.string().min(1).optional(),
  resources: z
    .strictObject({
      cpus: z.int().min(1).max(1_024).default(1),
      memory_mb: z.int().min(16).max(16_777_216).optional(),
    })
    .default({ cpus: 1 }),
  env: z.array(VARIABLE).max(100).default([]),
});

/** A manifest that cannot be offered: one line for each fault, with its place. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';

  constructor(readonly faults: readonly string[]) {
    super(faults.join('; '));
  }
}

/**
 * The task of a manifest.
 * @param folder where the manifest lies: an absolute path
 * @throws ManifestError
 */
export function taskOf(text: string, folder: string): ProcessTask {
  const parsed = MANIFEST.safeParse(parse(text));
  if (!parsed.success) {
    throw new ManifestError(parsed.error.issues.flatMap(faultsOf));
  }
  const manifest = parsed.data;
  const faults = commandFaults(manifest);
  const parameters = schema(manifest.parameters, 'parameters', faults);
  const results = schema(manifest.results, 'results', faults);
  const example = parameters?.faultOf(manifest.example, 'example') ?? null;
  if (example !== null) {
    faults.push(`${example.name}: ${example.reason}, says the schema of the parameters`);
  }
  if (parameters === null || results === null || faults.length > 0) {
    throw new ManifestError(faults);
  }
  return {
    runner: 'process',
    topic: manifest.topic,
    name: manifest.name,
    displayName: manifest.display_name,
    version: manifest.version,
    description: manifest.description,
    parameters,
    results,
    example: manifest.example,
    ...(manifest.view !== undefined && { view: manifest.view }),
    timeoutSeconds: manifest.timeout_seconds,
    maxAttempts: manifest.max_attempts,
    ...(manifest.backoff !== undefined && {
      backoff: {
        firstSeconds: manifest.backoff.first_seconds,
        longestSeconds: manifest.backoff.longest_seconds,
      },
    }),
    ...(manifest.feature_flag !== undefined && { previewFlag: manifest.feature_flag }),
    process: {
      command: manifest.command,
      launcher: manifest.launcher,
      cancel: manifest.cancel,
      variables: manifest.env,
      cpus: manifest.resources.cpus,
      memoryMegabytes: manifest.resources.memory_mb ?? null,
      graceSeconds: manifest.grace_seconds,
      folder,
    },
  };
}

function parse(text: string): unknown {
  // Some editors begin a file with a byte order mark: it is no part of the text.
  const json = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(json);
  } catch (error) {
    const fault = faultOfJson(json);
    if (fault === null) {
      throw new ManifestError([`is not JSON: ${(error as Error).message}`]);
    }
    const { path, what, place, advice } = fault;
    const [line] = place.split(',');
    throw new ManifestError([
      `is not JSON near ${line}: ${placeOf(path) || 'the manifest'} ${what} (${place}): ${advice}`,
    ]);
  }
}

function faultsOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${placeOf([...path, key])}: is not a known member`);
  }
  // zod tells a missing member as one of the type undefined.
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [`${placeOf(path) || 'the manifest'}: ${missing ? 'is required' : issue.message}`];
}

/** @param faults is added to when the schema cannot be used */
function schema(
  document: Readonly<Record<string, unknown>>,
  name: string,
  faults: string[],
): JsonSchema | null {
  try {
    return new JsonSchema(document);
  } catch (error) {
    faults.push(`${name}: ${(error as Error).message}`);
    return null;
  }
}

/** Placeholders that mean nothing here, and programs that would be looked for in the working folder. */
function commandFaults(manifest: z.output<typeof MANIFEST>): string[] {
  const faults: string[] = [];
  const known = (name: string): name is Placeholder =>
    (PLACEHOLDERS as readonly string[]).includes(name);
  for (const member of ['launcher', 'command', 'cancel'] as const) {
    manifest[member].forEach((word, index) => {
      for (const [braces, name = ''] of word.matchAll(BRACES)) {
        // A command may have braces of its own, as programs of awk have.
        if (!known(name) && member !== 'command') {
          faults.push(`${member}[${index}]: ${braces} is none of ${PLACEHOLDERS.join(', ')}`);
        }
        if (name === 'memory_mb' && manifest.resources.memory_mb === undefined) {
          faults.push(`${member}[${index}]: {memory_mb} needs resources.memory_mb`);
        }
      }
    });
    const [program = ''] = manifest[member];
    if (program.includes('/') && !/^(\/|\{(folder|workdir)\}\/)/.test(program)) {
      faults.push(
        `${member}[0]: write {folder}/… for a program beside the manifest, or an absolute path`,
      );
    }
  }
  return faults;
}
