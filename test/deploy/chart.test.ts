import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/platform/config.js';
import { createTestDatabase } from '../support/database.js';
import { EXAMPLES, exampleFile, HAS_HELM, rendered, valuesIn } from '../support/helm.js';
import { manifestFaults } from '../support/kubernetes-schemas.js';

if (!HAS_HELM) {
  console.log(
    'test/deploy/chart.test.ts only judges the manifests that were rendered before: to render it needs helm (HEADFRAME_TEST_HELM names one), or Python with its library (pip install helm-python-sdk==0.2.2; HEADFRAME_TEST_HELM_PYTHON names one).',
  );
}

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const RENDERED = readFileSync(root('deploy/kubernetes/headframe.yaml'), 'utf8');

// oxlint-disable-next-line typescript/no-explicit-any -- any kind of manifest
type Manifest = any;

const manifestsIn = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Manifest;
    })
    .filter((manifest) => manifest !== null);

const find = (manifests: Manifest[], kind: string, name: string): Manifest =>
  manifests.find(({ kind: found, metadata }) => found === kind && metadata.name === name);

/** Text that does not depend on the order in which Helm prints manifests, nor on comments. */
const canonical = (text: string): string[] =>
  manifestsIn(text)
    .map((manifest) => JSON.stringify(manifest))
    .toSorted();

/** The plain settings of a container, as the service gets them; secrets stand for themselves. */
const settingsOf = (pod: Manifest): Record<string, string> =>
  Object.fromEntries(
    pod.containers[0].env.map(({ name, value }: Manifest) => [
      name,
      value ??
        (name === 'AUTH_JWT_SECRET'
          ? 'x'.repeat(40)
          : `postgres://${name.toLowerCase()}@database/headframe`),
    ]),
  );

/** What must be so whatever the values are. */
function judge(manifests: Manifest[]): void {
  for (const manifest of manifests) {
    const name = `${manifest.kind} ${manifest.metadata.name}`;
    expect([name, manifestFaults(manifest)]).toEqual([name, []]);
    const pod = manifest.spec?.template?.spec;
    if (pod === undefined) continue;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    const [container] = pod.containers;
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.limits.memory).toMatch(/^\d+[GM]i$/);
    const settings = settingsOf(pod);
    const isMigration = manifest.kind === 'Job';
    expect('DATABASE_OWNER_URL' in settings).toBe(isMigration);
    const config = loadConfig(isMigration ? { ...settings, ROLE: 'worker' } : settings);
    if (isMigration) continue;
    // Enough time to stop as docs/start-and-stop.md wants it, and no key where tasks run.
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(config.SHUTDOWN_SECONDS + 15);
    expect(container.livenessProbe.httpGet.path).toBe('/health/live');
    expect(container.readinessProbe.httpGet.path).toBe('/health/ready');
    expect(config.MIGRATE).toBe(false);
    if (config.ROLE === 'worker') {
      expect(settings).not.toHaveProperty('AUTH_JWT_SECRET');
    }
    const selected = manifest.spec.selector.matchLabels;
    expect(manifest.spec.template.metadata.labels).toMatchObject(selected);
  }
}

describe('the manifests in deploy/kubernetes', () => {
  const manifests = manifestsIn(RENDERED);

  it('are valid, without privileges, with bounds and time to stop', () => {
    expect(new Set(manifests.map(({ kind }) => String(kind)))).toEqual(
      new Set([
        'Deployment',
        'Job',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'Service',
        'ServiceAccount',
      ]),
    );
    judge(manifests);
  });

  it('are judged by schemas that find a wrong field and a wrong value', () => {
    const api = structuredClone(find(manifests, 'Deployment', 'headframe-api'));
    api.spec.template.spec.containers[0].livenesProbe = {};
    api.spec.replicas = 'two';
    expect(manifestFaults(api)).toEqual([
      expect.stringContaining('/spec/replicas is against type'),
      '/spec/template/spec/containers/0/livenesProbe is no field of the schema',
    ]);
  });
});

describe('the worker for Slurm', () => {
  it('has settings that the service takes, and time to stop', () => {
    const lines = readFileSync(root('deploy/slurm/worker.env.example'), 'utf8').split('\n');
    const settings = lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map(
        (line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const,
      );
    const config = loadConfig(Object.fromEntries(settings));
    const unit = readFileSync(root('deploy/slurm/headframe-worker.service'), 'utf8');
    const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
    expect(config.ROLE).toBe('worker');
    expect(seconds).toBeGreaterThanOrEqual(config.SHUTDOWN_SECONDS + 15);
  });
});

describe.skipIf(!HAS_HELM)('the chart', () => {
  const manifestsOf = (values: object): Manifest[] => {
    const { ok, text } = rendered(values);
    expect(ok ? '' : text).toBe('');
    return manifestsIn(text);
  };
  const example = (name: (typeof EXAMPLES)[number]): Manifest[] =>
    manifestsOf(valuesIn(readFileSync(exampleFile(name), 'utf8')));

  it('makes what deploy/kubernetes has, of its values as they are and a secret for tokens', () => {
    expect(canonical(rendered({ secrets: { tokens: 'headframe-tokens' } }).text)).toEqual(
      canonical(RENDERED),
    );
  });

  it.each(EXAMPLES)('makes valid manifests of the example %s', (name) => {
    judge(example(name));
  });

  it('writes large whole numbers as such', () => {
    const { template } = find(example('identity-provider'), 'Deployment', 'headframe-api').spec;
    expect(settingsOf(template.spec)).toMatchObject({ BODY_LIMIT_BYTES: '16777216' });
  });

  it('scales each pool of workers by what waits for it', async () => {
    const pools = example('pools');
    expect(find(pools, 'ScaledObject', 'headframe-worker-default')).toBeUndefined();
    const scaled = find(pools, 'ScaledObject', 'headframe-worker-kriging');
    expect(find(pools, 'Deployment', 'headframe-worker-kriging').spec.replicas).toBeUndefined();
    const [{ metadata }] = scaled.spec.triggers;
    const database = await createTestDatabase();
    const client = new pg.Client(database.url);
    await client.connect();
    for (const task of ['kriging', 'idw']) {
      await client.query(
        `WITH job AS (INSERT INTO job_submissions (id, org_id, topic, task)
                      VALUES ($1, $1, 'geostatistics', $2) RETURNING *)
         INSERT INTO job_queue (job_id, org_id, topic, task) SELECT id, org_id, topic, task FROM job`,
        [randomUUID(), task],
      );
    }
    await client.query('SET ROLE headframe_worker');
    const { rows } = await client.query(metadata.query);
    await client.end();
    await database.drop();
    expect(rows).toEqual([{ count: '1' }]);
  });

  it('asks Prometheus for the jobs that wait for any task of a pool', () => {
    const scaled = find(example('identity-provider'), 'ScaledObject', 'headframe-worker-default');
    expect(scaled.spec.triggers[0].metadata.query).toBe(
      'sum(max by (topic, task) (headframe_jobs{state="waiting",topic=~".*",task=~".*"})) or vector(0)',
    );
  });

  it.each([
    ['a value that it does not know', { worker: { slotz: 3 } }, 'slotz'],
    [
      'a secret among plain settings',
      { environment: { DATABASE_URL: 'postgres://x' } },
      'DATABASE_URL',
    ],
    ['a pattern that is none', { worker: { tasks: 'kriging' } }, 'tasks'],
    ['metrics on the public port', { metrics: { port: 3000 } }, 'port'],
    ['an ingress without a host', { ingress: { enabled: true } }, 'ingress.host must be set'],
  ])('refuses %s', (_what, values, says) => {
    const { ok, text } = rendered(values);
    expect(ok).toBe(false);
    expect(text).toContain(says);
  });
});
