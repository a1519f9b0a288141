import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { taskOf } from '../../src/compute/manifest.js';
import type { ProcessTask } from '../../src/compute/task.js';

/** Members of a manifest that a test cares about. */
export type ManifestPart = Readonly<Record<string, unknown>>;

/** A right manifest, but for what the test changes. */
export function manifest(part: ManifestPart = {}): ManifestPart {
  return {
    topic: 'test',
    name: 'process',
    display_name: 'A process',
    version: '1.0.0',
    description: 'Does as the test says.',
    command: ['/bin/sh', '-c', 'echo \'{"results": {}}\''],
    parameters: { type: 'object' },
    results: { type: 'object' },
    example: {},
    timeout_seconds: 60,
    ...part,
  };
}

/** The task of a manifest whose command is a shell script. */
export const shellTask = (script: string, part: ManifestPart = {}): ProcessTask =>
  taskOf(JSON.stringify(manifest({ command: ['/bin/sh', '-c', script], ...part })), '/');

/** A new folder of manifests: the keys are names of folders, the values manifests or their text. */
export function tasksFolder(manifests: Readonly<Record<string, ManifestPart | string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'headframe-tasks-'));
  for (const [name, content] of Object.entries(manifests)) {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(
      join(root, name, 'task.json'),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
  return root;
}

/** Whether a process runs; one that has ended and was not waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
