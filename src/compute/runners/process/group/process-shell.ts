import { readFileSync } from 'node:fs';

/** The shell script that becomes the command: what it does, and its arguments, stand in it. */
export const LAUNCH_SCRIPT = readFileSync(new URL('./launch.sh', import.meta.url), 'utf8');
