// `@framescope/instrument/lineage`: where the media axis bends, and what came of which media.

export { bentHop, BentHop, type Bend, type BentHopOptions } from '../lineage/bent-hop.ts';
export { derive, type Derivation } from '../lineage/derive.ts';
export { regrouped, Regroup } from '../lineage/regroup.ts';
