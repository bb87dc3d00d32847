// `npm start`: sets up what is missing, then runs the collector with the viewer,
// and with `--demo` the example call beside it.
//
// No newer syntax than Node 12 has, here and in node-version.mjs: a Node that is
// too old must be able to read this far and be told so.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() =>
      import('./launch/launch.mjs').then(({ launch }) => launch(process.argv.slice(2))),
    ),
  );
}
