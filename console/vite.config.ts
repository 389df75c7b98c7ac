// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

const node = process.env.INFINIEDGE_NODE ?? 'http://127.0.0.1:8000';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // The policy is `default-src 'self'`: a data: URI would be refused.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // budget.mjs reads the manifest, then removes it.
    manifest: true,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': node, '/v1': node } },
});
