// `npm run test:clickhouse`: see run/clickhouse.mjs. An old Node can read this far, as in start.mjs.

import { requireNode } from './setup/node-version.mjs';

if (requireNode()) {
  import('./setup/command.mjs').then(({ runCommand }) =>
    runCommand(() =>
      import('./run/clickhouse.mjs').then(({ clickhouse }) => clickhouse(process.argv.slice(2))),
    ),
  );
}
