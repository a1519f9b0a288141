// `npm run bench`: every benchmark, one after the other.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

for (const [script, ...args] of [['http.bench.mjs'], ['kriging.bench.mjs', 'grid']]) {
  console.log(`\n# ${script}`);
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'inherit' });
  process.exitCode ||= status ?? 1;
}
