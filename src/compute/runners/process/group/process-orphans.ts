import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks: a killed process takes a moment to disappear. */
const LOOK_AGAIN_MS = 5;
/** Something that forks faster than it is killed must not hold up the job forever. */
const MAX_LOOKS = 200;

/**
 * Kills every process whose environment has the marker, whatever group or session it moved to; on
 * Linux only, elsewhere it finds none. A process that cleared its environment is not found.
 * @returns whether none is left
 */
export async function killMarked(marker: string): Promise<boolean> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const found = await marked(marker);
    if (found.length === 0) {
      return true;
    }
    found.forEach(kill);
    await sleep(LOOK_AGAIN_MS);
  }
  return false;
}

async function marked(marker: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/environ`).then(
        (environment) => environment.includes(marker),
        // Gone meanwhile, or another user's.
        () => false,
      ),
    ),
  );
  return pids.filter((_, index) => found[index]).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
