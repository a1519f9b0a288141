import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { HAS_PROMETHEUS, Prometheus } from '../support/prometheus.js';
import { metricsUrl } from '../support/scrape.js';
import { type Service, startService } from '../support/service.js';

const project = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const PATIENCE = { timeout: 60_000, interval: 500 };

/** The same build under another version, in a folder of its own. */
function nextRelease(version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'headframe-release-'));
  cpSync(project('dist'), join(folder, 'dist'), { recursive: true });
  for (const name of ['node_modules', 'prisma', 'packages']) {
    symlinkSync(project(name), join(folder, name));
  }
  const own = JSON.parse(readFileSync(project('package.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...own, version }));
  return folder;
}

describe.skipIf(!HAS_PROMETHEUS)('an upgrade that is stuck', () => {
  let database: TestDatabase;
  let folder: string;
  const replicas: Service[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = nextRelease('9.9.9');
    const settings = { METRICS_PORT: '0', ROLE: 'api' };
    replicas.push(
      await startService(database.url, settings),
      await startService(database.url, settings, [], join(folder, 'dist/main.js')),
    );
  });
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is seen by Prometheus, who runs what is told, and over when it is undone', async () => {
    const prometheus = await Prometheus.start(
      replicas.map(metricsUrl),
      project('deploy/prometheus/rules.yaml'),
    );
    try {
      const alerts = await prometheus.alerts();
      const differ = () => prometheus.query(alerts.get('HeadframeVersionsDiffer') as string);
      await expect.poll(async () => (await differ()).length, PATIENCE).toBe(1);
      // As the runbook says: who is left behind.
      const versions = await prometheus.query('count by (version, role) (headframe_build_info)');
      expect(versions.map(({ metric }) => metric.version)).toContain('9.9.9');
      expect(versions).toHaveLength(2);
      await replicas[1]?.stop();
      await expect.poll(async () => (await differ()).length, PATIENCE).toBe(0);
    } finally {
      await prometheus.stop();
    }
  });
});
