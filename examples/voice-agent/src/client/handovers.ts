// What a change of relay cost, as the caller itself counts it: the truth that the
// figures of the trace are held against.

interface Handover {
  readonly fromMs: number;
  /** Frames of the microphone that no connection took. */
  unsent: number;
  /** Frames of the microphone that the agent never got: those, and what was on its way. */
  missing: number | undefined;
  /** Frames of the agent's voice that never came. */
  agentMissing: number | undefined;
  /** Until the agent's voice came again. */
  agentMs: number | undefined;
}

export class Handovers {
  readonly #all: Handover[] = [];
  #nextSequence = 0;

  begin(nowMs: number): void {
    const open = { missing: undefined, agentMissing: undefined, agentMs: undefined };
    this.#all.push({ fromMs: nowMs, unsent: 0, ...open });
  }

  unsent(): void {
    const last = this.#all.at(-1);
    if (last !== undefined) last.unsent += 1;
  }

  /** What the agent says that it never got. */
  resumed(missing: number): void {
    const last = this.#all.at(-1);
    if (last !== undefined) last.missing ??= missing;
  }

  received(sequence: number, nowMs: number): void {
    const last = this.#all.at(-1);
    if (last !== undefined && last.agentMissing === undefined) {
      last.agentMissing = sequence - this.#nextSequence;
      last.agentMs = nowMs - last.fromMs;
    }
    this.#nextSequence = sequence + 1;
  }

  lines(): string[] {
    return this.#all.map(
      one =>
        `relay lost: ${one.unsent} mic frames unsent, ${one.missing ?? '?'} missing at the agent, ` +
        `${one.agentMissing ?? 0} agent frames missing, voice again after ${Math.round(one.agentMs ?? 0)} ms`,
    );
  }
}
