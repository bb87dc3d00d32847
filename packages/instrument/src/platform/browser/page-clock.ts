// The clock of a page: `performance.now()`. Each page is a domain of its own:
// origins of other tabs and workers are not trusted. What watches it for leaps
// is loaded with what sends; until then it has not leapt.

import {
  domainNs,
  NS_PER_MS,
  toHex,
  unixNs,
  type DomainNs,
  type UnixNs,
} from '@framescope/protocol';
import type { JumpWatch } from '../../clock/jump-watch.ts';
import type { Clock } from '../../ports.ts';
import { BrowserTimeColumn } from './time-column.ts';

export const pageNow = (): DomainNs => domainNs(Math.round(performance.now() * NS_PER_MS));

export class PageClock implements Clock {
  readonly domain: string = toHex(crypto.getRandomValues(new Uint8Array(8)));
  watch: JumpWatch | undefined;

  get epoch(): number {
    return this.watch?.epoch ?? 0;
  }
  get zeroUnixNs(): UnixNs {
    return this.watch?.zeroUnixNs ?? unixNs(BigInt(Math.round(performance.timeOrigin * NS_PER_MS)));
  }

  get epochFromNs(): DomainNs {
    return this.watch?.epochFromNs ?? domainNs(0);
  }

  now(): DomainNs {
    return pageNow();
  }

  makeColumn(capacity: number): BrowserTimeColumn {
    return new BrowserTimeColumn(capacity);
  }

  check(): boolean {
    return this.watch?.check() === true;
  }
}
