import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ManifestError, taskOf } from '../../src/compute/catalogue/manifest.js';
import { loadManifests } from '../../src/compute/catalogue/manifest-loader.js';
import { TaskCatalogue, taskKey } from '../../src/compute/catalogue/task-catalogue.js';
import { manifest, type ManifestPart, tasksFolder } from '../support/process-tasks.js';

/** The faults of a manifest that is right but for a part. */
function faultsOf(part: ManifestPart | string): readonly string[] {
  const text = typeof part === 'string' ? part : JSON.stringify(manifest(part));
  try {
    taskOf(text, '/tasks/x');
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ManifestError);
    return (error as ManifestError).faults;
  }
}

describe('a manifest', () => {
  it('is a task, in the words of the catalogue', () => {
    const task = taskOf(
      JSON.stringify(
        manifest({
          feature_flag: 'new',
          view: [{ kind: 'table', rows: 'results.intervals' }],
          max_attempts: 3,
          backoff: { first_seconds: 5, longest_seconds: 600 },
          resources: { cpus: 4, memory_mb: 512 },
          env: ['OMP_NUM_THREADS'],
          launcher: ['srun', '--job-name={name}'],
          cancel: ['scancel', '--name={name}'],
        }),
      ),
      '/tasks/x',
    );
    expect(task).toMatchObject({
      runner: 'process',
      displayName: 'A process',
      timeoutSeconds: 60,
      maxAttempts: 3,
      backoff: { firstSeconds: 5, longestSeconds: 600 },
      previewFlag: 'new',
      view: [{ kind: 'table', rows: 'results.intervals' }],
      process: {
        launcher: ['srun', '--job-name={name}'],
        cancel: ['scancel', '--name={name}'],
        variables: ['OMP_NUM_THREADS'],
        cpus: 4,
        memoryMegabytes: 512,
        graceSeconds: 5,
        folder: '/tasks/x',
      },
    });
  });

  it.each([
    ['{\n  "topic": "x",\n  oops\n}', /^is not JSON near line 3: .* name without quotes/],
    ['{"timeout_seconds": NaN}', /^is not JSON near line 1: timeout_seconds is NaN,/],
    ['[]', /^the manifest: /],
    [{ topic: 'Upper' }, /^topic: must be like kriging-2d/],
    [{ name: 'status' }, /^name: must be none of status, batch/],
    [{ name: 'batch' }, /^name: must be none of status, batch/],
    [{ topic: 'jobs' }, /^topic: must be none of jobs, tasks/],
    [{ topic: 'workflows' }, /^topic: must be none of jobs, tasks/],
    [{ version: '1.0' }, /^version: must be like 1\.0\.0/],
    [{ version: undefined }, /^version: is required/],
    [{ command: [] }, /^command: /],
    [{ command: 'python3 x.py' }, /^command: /],
    [{ command: ['./solver'] }, /^command\[0\]: write \{folder\}/],
    [{ comand: ['x'] }, /^comand: is not a known member/],
    [{ resources: { gpus: 1 } }, /^resources\.gpus: is not a known member/],
    [{ timeout_seconds: 0 }, /^timeout_seconds: /],
    [{ grace_seconds: 61 }, /^grace_seconds: /],
    [{ parameters: { type: 'array' } }, /^parameters: needs "type": "object"/],
    [{ results: { type: 'object', requird: [] } }, /^results: .*requird/],
    [
      { parameters: { type: 'object', required: ['a'] } },
      /^example\.a: is required, says the schema/,
    ],
    [{ launcher: ['srun', '{jobid}'] }, /^launcher\[1\]: \{jobid\} is none of job_id, /],
    [{ launcher: ['srun', '--mem={memory_mb}'] }, /^launcher\[1\]: \{memory_mb\} needs resources/],
    [{ env: ['AUTH_JWT_SECRET'] }, /^env\[0\]: is the service's own/],
    [{ env: ['DATABASE_URL'] }, /^env\[0\]: is the service's own/],
    [{ env: ['HOME'] }, /^env\[0\]: is set by the service/],
    [{ env: ['A=B'] }, /^env\[0\]: must be the name/],
    [{ view: [{ kind: 'film' }] }, /^view\[0\]\.kind: /],
    [
      { view: [{ kind: 'table', rows: 'rows' }] },
      /^view\[0\]\.rows: must be a place such as results/,
    ],
  ])('%j is refused, and says where it is wrong', (part, message) => {
    expect(faultsOf(part as ManifestPart | string)).toEqual([expect.stringMatching(message)]);
  });

  it('says all that is wrong at once', () => {
    expect(faultsOf({ topic: 'X', version: '1', extra: 1 })).toHaveLength(3);
  });

  it('may have braces of its own in its command', () => {
    expect(faultsOf({ command: ['awk', '{print}'] })).toEqual([]);
  });
});

describe('a folder of manifests', () => {
  const roots: string[] = [];
  afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

  function folder(manifests: Parameters<typeof tasksFolder>[0]): string {
    const root = tasksFolder(manifests);
    roots.push(root);
    return root;
  }
  const load = (root: string) => loadManifests(root, new TaskCatalogue([]));
  const keys = (catalogue: TaskCatalogue) => catalogue.entries.map(({ task }) => taskKey(task));

  it('is looked through, and wrong manifests do not keep the others away', async () => {
    const root = folder({
      'a/one': manifest({ name: 'one' }),
      'a/two': manifest({ name: 'two' }),
      'b/broken': '{',
      'b/wrong': manifest({ name: 'Wrong' }),
      'c/twin': manifest({ name: 'one' }),
      '.hidden': manifest({ name: 'hidden' }),
      'a/one/below': manifest({ name: 'below' }),
    });
    const { catalogue, wrong } = await load(root);
    expect(keys(catalogue)).toEqual(['test/one', 'test/two']);
    expect(wrong).toEqual([
      { file: 'b/broken/task.json', faults: [expect.stringMatching(/^is not JSON/)] },
      { file: 'b/wrong/task.json', faults: [expect.stringMatching(/^name: /)] },
      {
        file: 'c/twin/task.json',
        faults: ['test/one is defined by a/one/task.json already'],
      },
    ]);
  });

  it('may have a manifest with a byte order mark, which is told, and none that is no UTF-8', async () => {
    const root = folder({ marked: `\uFEFF${JSON.stringify(manifest())}`, utf16: manifest() });
    writeFileSync(
      join(root, 'utf16', 'task.json'),
      Buffer.from(`\uFEFF${JSON.stringify(manifest({ name: 'utf16' }))}`, 'utf16le'),
    );
    const { catalogue, wrong, odd } = await load(root);
    expect(keys(catalogue)).toEqual(['test/process']);
    expect(odd).toEqual([
      { file: 'marked/task.json', faults: [expect.stringMatching(/byte order mark \(BOM\)/)] },
    ]);
    expect(wrong).toEqual([
      { file: 'utf16/task.json', faults: [expect.stringMatching(/not valid UTF-8.*UTF-16/)] },
    ]);
  });

  it('cannot replace a task of the service', async () => {
    const root = folder({ a: manifest() });
    const { catalogue } = await load(root);
    expect((await loadManifests(root, catalogue)).wrong).toEqual([
      { file: 'a/task.json', faults: ['test/process is defined by the service itself already'] },
    ]);
  });

  it('may be mounted configuration, which consists of links, and may have links in a circle', async () => {
    const root = folder({ '..2026_01/a': manifest() });
    symlinkSync(join(root, '..2026_01'), join(root, '..data'));
    symlinkSync(join(root, '..data', 'a'), join(root, 'a'));
    mkdirSync(join(root, 'circle'));
    symlinkSync(join(root, 'circle'), join(root, 'circle', 'again'));
    writeFileSync(join(root, 'README.md'), 'not a folder');
    const { catalogue, wrong } = await load(root);
    expect(keys(catalogue)).toEqual(['test/process']);
    expect(wrong).toEqual([]);
  });

  it('that is not there is an error of its own', async () => {
    await expect(load('/no/such/folder')).rejects.toThrow();
  });
});
