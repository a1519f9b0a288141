import { z } from 'zod';

/** A warning names at most so many samples: who needs all of them has the data. */
const MAX_NAMED = 100;

/**
 * What results may be doubted for: the job succeeded, and a careful reader would look again. Every
 * task of this folder has the same list, empty when there is nothing to say.
 */
export const warningsSchema = z
  .array(
    z.strictObject({
      slug: z.string().meta({ description: 'What kind of warning it is, for programs' }),
      message: z.string().meta({ description: 'What was seen and what to do, for people' }),
      samples: z
        .array(z.int().min(0))
        .max(MAX_NAMED)
        .meta({
          description:
            `Samples that it is about, as indices into source.coordinates, ascending; the first ` +
            `${MAX_NAMED}, and none when it is about all of them`,
        }),
    }),
  )
  .meta({ description: 'What the results may be doubted for; `message` repeats it' });

export type Warning = z.output<typeof warningsSchema>[number];

/** Makes a warning of as many samples as one may name. */
export function warning(slug: string, message: string, samples: Iterable<number> = []): Warning {
  const named = [...new Set(samples)].toSorted((a, b) => a - b).slice(0, MAX_NAMED);
  return { slug, message, samples: named };
}

/** The line for people with its warnings behind it. */
export function tellWarnings(message: string, warnings: readonly Warning[]): string {
  return [message, ...warnings.map((each) => each.message)].join('. ');
}
