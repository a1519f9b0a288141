import { z } from 'zod';
import { httpUrl } from '../http/paths/public-url.js';
import { wholeNumber } from '../text/whole-number.js';

/** As the specification of OpenTelemetry has it. */
const headerList = z
  .string()
  .regex(
    /^\s*[\w!#$&.^`|~-]+\s*=[^,\r\n]*(,\s*[\w!#$&.^`|~-]+\s*=[^,\r\n]*)*$/,
    'must be name=value, separated by commas',
  )
  .transform((text, context) => {
    try {
      return Object.fromEntries(
        text.split(',').map((pair) => {
          const equals = pair.indexOf('=');
          const value = decodeURIComponent(pair.slice(equals + 1).trim());
          return [pair.slice(0, equals).trim(), value] as const;
        }),
      );
    } catch {
      context.addIssue({ code: 'custom', message: 'must be URL-encoded' });
      return z.NEVER;
    }
  });

/** The variables of tracing, named as the specification of OpenTelemetry names them. */
export const TRACING_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl
    .optional()
    .describe(
      'Address of an OpenTelemetry collector (OTLP over HTTP), to which traces are sent at `/v1/traces` below it; unset: none are made.',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: headerList
    .optional()
    .describe('Headers for it, such as a token: `name=value`, separated by commas, URL-encoded.'),
  OTEL_SERVICE_NAME: z
    .string()
    .max(200, 'must have at most 200 characters')
    .default('headframe')
    .describe('What traces call this service.'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
    .transform(Number)
    .default(1)
    .describe(
      'Which part of the requests begin a trace, from 0 to 1; of a trace that a client began, the client decides.',
    ),
  TRACES_PER_SECOND: wholeNumber(0, 100_000)
    .default(100)
    .describe(
      'How many requests and attempts each process records in a second, whoever decided so: of those beyond nothing is recorded. It bounds what traces cost; a recorded attempt takes some 60 µs.',
    ),
};
