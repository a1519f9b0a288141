import { z } from 'zod';

export const LIVE = z.strictObject({ status: z.literal('live') }).meta({ id: 'Live' });
export const READY = z.strictObject({ status: z.literal('ready') }).meta({ id: 'Ready' });
