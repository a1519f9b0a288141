import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const found = spawnSync('shellcheck', ['--version']).status === 0;
if (!found) {
  console.error('Skipped: no shellcheck. To have it: apt-get install shellcheck');
}

const scripts = [
  '.ci/run',
  ...['deploy', 'examples', 'src'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.sh'))
      .map((file) => `${folder}/${file}`),
  ),
];

describe.skipIf(!found)('shell scripts', () => {
  it('are some', () => {
    expect(scripts).toContain('src/compute/runners/process/group/launch.sh');
    expect(scripts).toContain('deploy/entrypoint.sh');
  });

  it.each(scripts)('%s: shellcheck finds nothing', (script) => {
    const { stdout } = spawnSync('shellcheck', [script], { cwd: root, encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});
