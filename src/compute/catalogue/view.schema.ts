import { z } from 'zod';

/**
 * A place in what a job was given and left: `results.target.values`, `parameters.target.grid`; `[]` for each
 * member of a list, `results.lags[].distance`.
 */
const PLACE = z
  .string()
  .max(256)
  .regex(
    /^(parameters|results)(\.[A-Za-z_][\w-]*(\[\])?)*$/,
    'must be a place such as results.target.values or results.lags[].distance',
  );
const WORDS = z.string().min(1).max(120);
const title = WORDS.optional().describe('What stands above it.');
const unit = z.string().min(1).max(40).optional().describe('Of the values.');

/** Estimates at points, or in the cells of a grid, with the samples over them. */
const MAP = z.strictObject({
  kind: z.literal('map'),
  title,
  grid: PLACE.optional().describe(
    'An object with `origin`, `spacing` and `size`, x running fastest.',
  ),
  points: PLACE.optional().describe('A list of [x, y] or [x, y, z]; used where there is no grid.'),
  layers: z
    .array(z.strictObject({ title: WORDS, values: PLACE, unit }))
    .min(1)
    .max(8)
    .describe('Each a list of numbers or nulls, one for each cell or point.'),
  samples: z
    .strictObject({ coordinates: PLACE, values: PLACE })
    .optional()
    .describe('Drawn over it, in the same colours as the first layer.'),
});

/** Points and lines over a common axis. */
const LINE = z.strictObject({
  kind: z.literal('line'),
  title,
  x: z.strictObject({ title: WORDS, unit }),
  y: z.strictObject({ title: WORDS, unit }),
  series: z
    .array(
      z.strictObject({
        title: WORDS,
        x: PLACE,
        y: PLACE,
        style: z.enum(['line', 'points']).default('line'),
        notes: z
          .strictObject({ title: WORDS, values: PLACE })
          .optional()
          .describe('A number told beside each point.'),
      }),
    )
    .max(8)
    .default([]),
  variogram: PLACE.optional().describe('A variogram model, drawn as a curve along its major axis.'),
});

const HISTOGRAM = z.strictObject({ kind: z.literal('histogram'), title, values: PLACE, unit });

const TABLE = z.strictObject({
  kind: z.literal('table'),
  title,
  rows: PLACE.describe('A list of objects, or an object of lists of the same length.'),
});

const IMAGE = z.strictObject({
  kind: z.literal('image'),
  title,
  source: PLACE.describe('A `data:` URL of a PNG, JPEG, GIF or WebP image.'),
  description: WORDS.describe('For those who do not see it.'),
});

const MARKDOWN = z.strictObject({ kind: z.literal('markdown'), title, text: PLACE });

/** How the console shows the results of a task. */
const VIEW = z.discriminatedUnion('kind', [MAP, LINE, HISTOGRAM, TABLE, IMAGE, MARKDOWN]);

/** The pictures of a task's results, in the order in which they are shown. */
export const VIEWS = z.array(VIEW).max(8);

export type TaskViews = z.input<typeof VIEWS>;
