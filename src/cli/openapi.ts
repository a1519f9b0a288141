import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createApp } from '../app.js';
import { openApiDocument } from '../openapi.js';
import { loadConfig } from '../platform/config.js';
import { exitFatally } from '../platform/fatal.js';
import { createLogger } from '../platform/logging/service-logger.js';

const SNAPSHOT = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));

/**
 * Writes the OpenAPI document to docs/openapi.json, or with `--check` fails when that file differs
 * from what the service would serve: a change of the API is then seen in review.
 */
async function main(): Promise<void> {
  // Neither is used: nothing connects before the application starts.
  const url = 'postgres://localhost/unused';
  const config = loadConfig({
    DATABASE_URL: url,
    AUTH_JWT_SECRET: 'unused'.repeat(6),
    LOG_LEVEL: 'silent',
  });
  const { nest } = await createApp({
    config,
    database: { url, requestUrl: url },
    dataHome: '',
    logger: createLogger(config),
  });
  const text = `${JSON.stringify(openApiDocument(nest, config), null, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(SNAPSHOT, text);
    console.log(`Wrote ${SNAPSHOT}`);
  } else if (readFileSync(SNAPSHOT, 'utf8') !== text) {
    console.error(
      'docs/openapi.json differs from the API: run "npm run openapi", and review the change.',
    );
    process.exitCode = 1;
  }
}

main().catch(exitFatally);
