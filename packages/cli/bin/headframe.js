#!/usr/bin/env node
// Lies outside of dist, so that npm can link to it before there is a build.
import { existsSync } from 'node:fs';

const program = new URL('../dist/main.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.error('headframe: not built yet. Run: node scripts/setup.mjs');
  process.exitCode = 1;
}
