import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import { json } from '../../platform/http/openapi/body.js';
import type { SchemaObject } from '../../platform/http/openapi/openapi-types.js';
import { ApiProblems } from '../../platform/http/problem/problem.openapi.js';
import { EXAMPLE_JOB } from '../job/examples.js';
import { ApiOrganizationRead } from '../job/job.openapi.js';
import { BULK_ANSWER, SELECTION } from './selection.schema.js';

const { $schema: _, ...SELECTION_SCHEMA } = z.toJSONSchema(SELECTION, {
  target: 'draft-2020-12',
  io: 'input',
  unrepresentable: 'any',
});

const bulk = (operationId: string, summary: string, description: string) =>
  applyDecorators(
    ApiOperation({ operationId, summary, description, tags: ['Jobs'] }),
    ApiOrganizationRead(),
    ApiBody({
      required: true,
      schema: SELECTION_SCHEMA as SchemaObject,
      examples: {
        'by filter': { value: { filter: { label: ['project:meuse'] }, dry_run: true } },
        'by id': { value: { ids: [EXAMPLE_JOB] } },
      },
    }),
    ApiResponse({
      status: 200,
      description: 'How many jobs were selected and changed.',
      content: json(BULK_ANSWER, { changed: { matched: 12, changed: 12, more: false } }),
    }),
    ApiProblems('not-found', 'payload-too-large', 'unsupported-media-type', 'invalid-parameters'),
  );

const SELECTED =
  'Jobs are selected by `ids` (at most 1,000), or by a `filter` that is that of the list, with arrays where a query repeats. At most 10,000 are changed: repeat while `more` is true. With `dry_run` they are only counted.';

export const ApiCancelJobs = () =>
  bulk(
    'cancelJobs',
    'Cancel many jobs',
    `Cancels the selected jobs that have not ended. ${SELECTED} Scope: \`compute:execute\`.`,
  );

export const ApiPurgeJobs = () =>
  bulk(
    'purgeJobs',
    'Delete many ended jobs',
    `Deletes the selected jobs that have ended, with all that is kept of them. ${SELECTED} Scope: \`compute:admin\`.`,
  );

export const ApiRerunJobs = () =>
  bulk(
    'rerunJobs',
    'Run many jobs again',
    `Makes a new job for each selected one that has ended, with the same parameters and options but \`run_after\`, and the label \`rerun-of\`. ${SELECTED.replace('repeat while `more` is true', 'when `more` is true, narrow the filter down, by `created_before` for instance: those of before match still')} Jobs of tasks that are not offered any more are left out. Scope: \`compute:execute\`.`,
  );
