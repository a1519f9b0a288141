// Loaded before the service (`--import`): how long its event loop stood still at most, since it was last
// asked, by SIGUSR2, to write that into the file LOOP_DELAY_FILE.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on('SIGUSR2', () => {
  writeFileSync(
    process.env.LOOP_DELAY_FILE ?? '/dev/null',
    String(delay.max / 1e6 - RESOLUTION_MS),
  );
  delay.reset();
});
