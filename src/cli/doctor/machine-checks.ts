import { statfs } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { loadManifests } from '../../compute/catalogue/manifest-loader.js';
import { TaskCatalogue } from '../../compute/catalogue/task-catalogue.js';
import type { Config } from '../../platform/config.js';
import { attempt, bad, type Finding, good } from './finding.js';

const LEAST_NODE = [20, 19] as const;
const GIB = 1024 ** 3;
const LITTLE_BYTES = GIB;
const TOO_LITTLE_BYTES = 100 * 1024 ** 2;
const LITTLE_PART = 0.05;

/** This process's Node, memory and disks, and the manifests it would load. */
export async function checkMachine(config: Config, dataHome: string): Promise<readonly Finding[]> {
  const runsJobs = config.ROLE !== 'api';
  const groups = await Promise.all([
    ...(config.DATABASE_URL === undefined ? [disk('data home', dataHome, 'DATA_HOME')] : []),
    ...(runsJobs ? [disk('work folders', tmpdir(), 'TMPDIR'), manifests(config)] : []),
  ]);
  return [nodeVersion(), ...(runsJobs ? [memory(config)] : []), ...groups.flat()];
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
    ? good('Node', process.version)
    : bad('Node', 'fail', process.version, `Install Node ${LEAST_NODE.join('.')} or later.`);
}

/** A container's limit counts, where there is one. */
function memory({ WORKER_SLOTS, WORKER_MEMORY_MB }: Config): Finding {
  const limit = process.constrainedMemory();
  const all = totalmem();
  const has = limit > 0 && limit < all ? limit : all;
  const wants = WORKER_SLOTS * WORKER_MEMORY_MB * 1024 ** 2;
  const found = `${inGib(has)} for ${WORKER_SLOTS} slots of up to ${WORKER_MEMORY_MB} MiB`;
  return wants <= has
    ? good('memory', found)
    : bad(
        'memory',
        'warn',
        found,
        'If all slots need what they may have, the process is killed and its jobs run again: set fewer WORKER_SLOTS or less WORKER_MEMORY_MB, or give it more memory.',
      );
}

function disk(check: string, folder: string, variable: string): Promise<readonly Finding[]> {
  return attempt(check, `Make that folder, or set ${variable} to one that is there.`, async () => {
    const { bavail, bsize, blocks, ffree, files } = await statfs(folder);
    const free = bavail * bsize;
    const found = `${inGib(free)} free of ${inGib(blocks * bsize)} at ${folder}`;
    const advice = `Make room there, or set ${variable} to a folder on a larger disk.`;
    if (free < TOO_LITTLE_BYTES) {
      return [bad(check, 'fail', found, advice)];
    }
    if (files > 0 && ffree / files < LITTLE_PART) {
      return [bad(check, 'warn', `${ffree} inodes free at ${folder}`, advice)];
    }
    return [free < LITTLE_BYTES ? bad(check, 'warn', found, advice) : good(check, found)];
  });
}

const inGib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

async function manifests({ TASKS_DIR }: Config): Promise<readonly Finding[]> {
  if (TASKS_DIR === undefined) {
    return [];
  }
  const advice = 'Set TASKS_DIR to a folder that the service can read.';
  return attempt('manifests', advice, async () => {
    const { catalogue, wrong, odd } = await loadManifests(TASKS_DIR, new TaskCatalogue([]));
    const told = [
      ...wrong.map((each) => ({ ...each, level: 'fail' as const })),
      ...odd.map((each) => ({ ...each, level: 'warn' as const })),
    ];
    return [
      good('manifests', `${catalogue.entries.length} tasks below ${TASKS_DIR}`),
      ...told.map(({ file, faults, level }) =>
        bad(
          'manifests',
          level,
          `${file}: ${faults.join('; ')}`,
          'Correct the manifest: docs/process-tasks.md.',
        ),
      ),
    ];
  });
}
