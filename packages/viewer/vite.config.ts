// The viewer's build: a static site that the collector serves on its own port.
//
// `npx vite packages/viewer` serves the sources with a collector on 4318 behind
// them; `npx vite build packages/viewer` writes dist/.

import { defineConfig } from 'vite';

const COLLECTOR = 'http://127.0.0.1:4318';

export default defineConfig({
  base: '/',
  // A strict Content-Security-Policy allows no inline scripts and no data: URLs.
  build: { assetsInlineLimit: 0, target: 'es2022', modulePreload: { polyfill: false } },
  server: { host: '127.0.0.1', proxy: { '/api': COLLECTOR, '/v1': COLLECTOR } },
});
