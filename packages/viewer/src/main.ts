// Starts the viewer: theme, live connection, shell, first page.

import { LiveClient } from './data/live.ts';
import { Shell } from './pages/shell.ts';
import { startTheme } from './state/theme.ts';

startTheme();
const live = new LiveClient();
new Shell(document.querySelector('#app')!, live).start();
live.start();
