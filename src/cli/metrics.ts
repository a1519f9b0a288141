import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createApp } from '../app.js';
import { loadConfig } from '../platform/config.js';
import { exitFatally } from '../platform/fatal.js';
import { createLogger } from '../platform/logging/service-logger.js';
import { Metrics } from '../platform/metrics/metrics.js';
import type { Family } from '../platform/metrics/series.js';

const PAGE = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));

const INTRODUCTION = `# Metrics

Generated from the code by \`npm run metrics\`: change the code, not this page.

\`GET /metrics\` answers in Prometheus' text format, or in that of OpenMetrics when \`Accept\` would rather have it:
on a port of its own (\`METRICS_PORT\`), on \`PORT\` in development, nowhere in production unless \`METRICS_PORT\` is
set. It has no token: let scrapers alone reach that port. What was told is told again for a second, so
a scrape every 100 ms costs no more than one a second.

- **Per process.** Each replica counts what it did itself: add them up (\`sum(rate(…))\`).
- **Over all replicas.** \`headframe_jobs\`, \`headframe_oldest_waiting_seconds\`, \`headframe_workers\` and
  \`headframe_organization_jobs\` come from the database and are the same everywhere: take the largest (\`max\`), never
  the sum. They are read by one statement, at most once in five seconds and only when somebody scrapes; what it
  reads is bounded, however long the queue is.
- **Bounded.** Labels are topics and tasks of the catalogue, routes as they are written, names of statements: never
  an id, a path or a text of a client. \`METRICS_BY_ORGANIZATION=true\` adds the families \`headframe_organization_*\`, for
  the first 200 organizations that a process meets; the rest are \`other\`.
- **Histograms are classic**: the client library has no native ones.
- Beside these come \`process_*\` and \`nodejs_*\` of [the client library](https://github.com/prometheus/client_js):
  processor time, memory, heap, garbage collection, file descriptors, and the lag of the event loop
  (\`nodejs_eventloop_lag_p99_seconds\`, since the scrape before). They begin with the first scrape.

[Dashboard](../deploy/grafana/headframe.json), [alerts](../deploy/prometheus/rules.yaml), [what to do](runbook.md).
`;

/** Writes docs/metrics.md from the metrics that the code defines; with `--check` fails when it differs. */
async function main(): Promise<void> {
  // Neither is used: nothing connects before the application starts.
  const url = 'postgres://localhost/unused';
  const { nest } = await createApp({
    config: loadConfig({
      DATABASE_URL: url,
      AUTH_JWT_SECRET: 'unused'.repeat(6),
      LOG_LEVEL: 'silent',
      // What is told of traces is there only where they are made.
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost',
    }),
    database: { url, requestUrl: url },
    dataHome: '',
    logger: createLogger({ LOG_LEVEL: 'silent' }),
  });
  const text = pageOf(nest.get(Metrics).families);
  if (!process.argv.includes('--check')) {
    writeFileSync(PAGE, text);
    console.log(`Wrote ${PAGE}`);
  } else if (readFileSync(PAGE, 'utf8') !== text) {
    console.error('docs/metrics.md differs from the code: run "npm run metrics".');
    process.exitCode = 1;
  }
}

function pageOf(families: readonly Family[]): string {
  const rows = families
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(
      ({ name, type, labels = [], help }) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    );
  return `${INTRODUCTION}\n| Name | Type | Labels | |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

main().catch(exitFatally);
