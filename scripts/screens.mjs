// `npm run screens`: see run/screens.mjs. An old Node can read this far, as in start.mjs.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() =>
      import('./run/screens.mjs').then(({ screens }) => screens(process.argv.slice(2))),
    ),
  );
}
