// Which assembler the collector runs.

import type { MakeAssembler } from './assembler.ts';
import { SessionEngine } from './engine.ts';

export const makeAssembler: MakeAssembler = options => new SessionEngine(options);
