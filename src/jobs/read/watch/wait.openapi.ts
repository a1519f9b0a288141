import { ApiHeader } from '@nestjs/swagger';

/** @param until what the answer is held back for */
export const ApiWait = (until: string) =>
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: `\`wait=N\` (RFC 7240): holds the answer back until ${until}, for up to N seconds.`,
    schema: { type: 'string', example: 'wait=20' },
  });

/** The header of an answer to who prefers to wait. */
export const PREFERENCE_APPLIED = {
  'Preference-Applied': {
    description: '`wait=N`: for how long at most the answer was held back; absent: not at all.',
    schema: { type: 'string' as const },
  },
};
