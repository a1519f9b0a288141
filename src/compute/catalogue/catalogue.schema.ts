import { z } from 'zod';
import { VIEWS } from './view.schema.js';
import { COUNT } from '../../platform/http/openapi/body.js';

const JSON_SCHEMA = z
  .record(z.string(), z.unknown())
  .optional()
  .describe('JSON Schema 2020-12; with `details=true` only.');

/** A task as the catalogue shows it. */
export const TASK = z
  .strictObject({
    key: z.string().meta({ examples: ['geostatistics/kriging'] }),
    topic: z.string().meta({ examples: ['geostatistics'] }),
    name: z.string().meta({ examples: ['kriging'] }),
    display_name: z.string().meta({ examples: ['Kriging'] }),
    version: z.string().meta({ examples: ['1.0.0'] }),
    description: z.string().describe('Markdown.'),
    feature_flag: z
      .string()
      .optional()
      .describe('Of a preview task, which needs the header `API-Preview: opt-in`.'),
    parameters: JSON_SCHEMA,
    results: JSON_SCHEMA,
    example: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Parameters that work; with `details=true` only.'),
    view: VIEWS.optional().describe('How to show the results; with `details=true` only.'),
  })
  .meta({ id: 'Task' });

/** The body of `GET …/tasks`. */
export const TASK_PAGE = z
  .strictObject({
    limit: z.int().min(1).max(1_000),
    offset: z.int().min(0).max(1_000_000),
    total: COUNT.describe('How many tasks there are.'),
    count: COUNT.describe('How many of them this page has.'),
    results: z.array(TASK),
  })
  .meta({ id: 'TaskPage' });
