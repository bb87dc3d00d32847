// How a connection came about and whether it broke, told once each; after it stood,
// what it loses and gets back (a dropped network, an ICE restart).

import type { SetupName } from '@framescope/protocol';
import type { SessionPort } from '../../ports.ts';

export class ConnectionWatch {
  readonly #port: SessionPort;
  readonly #source: string;
  readonly #told = new Set<SetupName>();
  #isLost = false;

  /** @param source Who tells: `webrtc`, `livekit`. */
  constructor(port: SessionPort, source: string) {
    this.#port = port;
    this.#source = source;
  }

  /** The first time of each counts; of a connection that was not seen from its beginning, none. */
  saw(name: SetupName): void {
    const isBegun = name === 'call_started' || this.#told.has('call_started');
    if (!isBegun || this.#told.has(name)) return;
    this.#told.add(name);
    this.#tell(name);
  }

  /** Media may flow: for the first time, or again. */
  stands(): void {
    this.saw('dtls_connected');
    if (this.#isLost) this.#tell('connection_restored');
    this.#isLost = false;
  }

  /** It is gone, and may come back. */
  broke(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#tell('connection_lost');
  }

  #tell(name: SetupName): void {
    const { clock } = this.#port;
    this.#port.setup({ name, at: clock.now(), source: this.#source });
  }
}
