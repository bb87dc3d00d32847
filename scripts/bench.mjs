// `npm run bench`: see run/bench.mjs. An old Node can read this far, as in start.mjs.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() => import('./run/bench.mjs').then(({ bench }) => bench(process.argv.slice(2)))),
  );
}
