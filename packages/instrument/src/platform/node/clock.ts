// The clock of a Node process: `process.hrtime`, counted from its own zero. On
// Linux that is CLOCK_MONOTONIC, one clock for all processes of a machine (and
// of its containers): its domain is made from the boot ID, so that they need no
// offset between them. Elsewhere each process is a domain of its own.

import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import {
  clockDomainOf,
  domainNs,
  NS_PER_S,
  type DomainNs,
  type UnixNs,
} from '@framescope/protocol';
import { JumpWatch } from '../../clock/jump-watch.ts';
import type { Clock } from '../../ports.ts';
import { NodeTimeColumn } from './time-column.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

const now = (): DomainNs => domainNs(Number(process.hrtime.bigint()));

/** Since the boot; /proc/uptime goes on in sleep, the monotonic clock does not. */
function sleptNs(): number {
  try {
    return uptime() * NS_PER_S - Number(process.hrtime.bigint());
  } catch {
    // A sandbox without /proc: unknown, which counts as a sleep.
    return Number.NaN;
  }
}

export class NodeClock implements Clock {
  readonly domain: string;
  readonly #watch = new JumpWatch({
    now,
    wallMs: Date.now,
    ...(process.platform === 'linux' ? { sleptNs } : {}),
  });

  constructor() {
    this.domain = domainOfProcess ??= readDomain();
  }

  get epoch(): number {
    return this.#watch.epoch;
  }
  get zeroUnixNs(): UnixNs {
    return this.#watch.zeroUnixNs;
  }

  get epochFromNs(): DomainNs {
    return this.#watch.epochFromNs;
  }

  get startedAt(): DomainNs {
    return domainNs(Math.round(now() - process.uptime() * NS_PER_S));
  }

  now(): DomainNs {
    return now();
  }

  makeColumn(capacity: number): NodeTimeColumn {
    return new NodeTimeColumn(capacity);
  }

  check(): boolean {
    return this.#watch.check();
  }
}

/** The same for all clocks of the process: read once. */
let domainOfProcess: string | undefined;

function readDomain(): string {
  try {
    return clockDomainOf(readFileSync(BOOT_ID, 'utf8'));
  } catch {
    // No boot ID (macOS, Windows, a locked-down container): nothing vouches for a shared zero.
    return clockDomainOf(`${process.pid} ${process.hrtime.bigint()} ${Math.random()}`);
  }
}
