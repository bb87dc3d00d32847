// `npm run test:interop`: see run/interop.mjs. An old Node can read this far, as in start.mjs.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() =>
      import('./run/interop.mjs').then(({ interop }) => interop(process.argv.slice(2))),
    ),
  );
}
