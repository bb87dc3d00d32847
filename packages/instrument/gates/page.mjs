// An ordinary page, as the gate of the bundle weighs it: calls with streams, hops and
// turns. Which of their methods it calls makes no difference, since bundlers drop
// functions and classes that nobody uses, and no methods.

import { Framescope } from '@framescope/instrument';

globalThis.framescope = new Framescope({ serviceName: 'page', role: 'client' });
