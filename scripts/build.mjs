// `npm run build`: see run/build.mjs. An old Node can read this far, as in start.mjs.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() => import('./run/build.mjs').then(({ build }) => build())),
  );
}
