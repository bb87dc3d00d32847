// Preloaded into the processes of the example (`node --import`): from here on
// `@framescope/instrument` is the package with an auditor around it.

import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
