import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { taskOf } from '../../src/compute/catalogue/manifest.js';
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

/** A command's outcome, without the service: what its standard output said, checked as the service does. */
export interface ManifestRun {
  readonly results?: Record<string, unknown>;
  readonly problem?: Record<string, unknown>;
  readonly progress: readonly number[];
}

/** Runs the command of a manifest in a folder of its own, with parameters that its schema takes. */
export function runManifest(folder: string, parameters: object): ManifestRun {
  const task = taskOf(readFileSync(join(folder, 'task.json'), 'utf8'), folder);
  const given = structuredClone(parameters);
  const fault = task.parameters.fillAndFaultOf(given, 'parameters');
  if (fault !== null) {
    throw new Error(`${fault.name} ${fault.reason}`);
  }
  const [program = '', ...words] = task.process.command.map((word) =>
    word.replaceAll('{folder}', folder),
  );
  const cwd = mkdtempSync(join(tmpdir(), 'headframe-run-'));
  try {
    const output = execFileSync(program, words, {
      cwd,
      input: `${JSON.stringify(given)}\n`,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const messages = output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    const { results } = messages.find((message) => 'results' in message) ?? {};
    const { problem } = messages.find((message) => 'problem' in message) ?? {};
    const refused = results === undefined ? null : task.results.faultOf(results, 'results');
    if (refused !== null) {
      throw new Error(`${refused.name} ${refused.reason}`);
    }
    return {
      ...(results !== undefined && { results }),
      ...(problem !== undefined && { problem }),
      progress: messages.flatMap((message) => message.progress ?? []),
    };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
