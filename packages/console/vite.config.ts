import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/**
 * Built into `dist`, from where the service sends it. Every address in it is relative: where the console is
 * mounted is told by the `<base>` of its page, which the service writes.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: 'public',
  resolve: {
    // The example of the demo, which lies beside the packages.
    alias: { meuse: fileURLToPath(new URL('../../examples/meuse', import.meta.url)) },
  },
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the page lets nothing in that is not a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    chunkSizeWarningLimit: 400,
  },
});
