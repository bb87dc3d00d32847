// `npm run check`: see run/check.mjs. An old Node can read this far, as in start.mjs.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() => import('./run/check.mjs').then(({ check }) => check())),
  );
}
