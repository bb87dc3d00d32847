// `npm test`: see run/test.mjs. An old Node can read this far, as in start.mjs.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() => import('./run/test.mjs').then(({ test }) => test(process.argv.slice(2)))),
  );
}
