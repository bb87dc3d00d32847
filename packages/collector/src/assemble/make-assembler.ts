// Which assembler the collector runs.

import type { MakeAssembler } from './assembler.ts';
import { PlainAssembler } from './plain-assembler.ts';

export const makeAssembler: MakeAssembler = () => new PlainAssembler();
