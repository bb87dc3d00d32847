// What a wait is made of, from the scenario alone: a schedule run forward.
//
// The collector walks back from the first voiced sample over moments it was
// told. This does the opposite with what it cannot see: every step knows when it
// is done and the stretches it stands on, and where two are awaited the later
// one brings its own stretches along. Two methods, no shared line of code.

export interface Stretch {
  readonly part: string;
  readonly fromNs: number;
  readonly toNs: number;
}

/** Something that is done at `atNs`, and how that came to be since the wait's start. */
export interface Step {
  readonly atNs: number;
  readonly path: readonly Stretch[];
}

export const startAt = (atNs: number): Step => ({ atNs, path: [] });

/** `step`, and after it `part` for so long. (Not `then`: a module that exports that name is a promise to `import()`.) */
export function spend(step: Step, part: string, forNs: number): Step {
  const toNs = step.atNs + forNs;
  return { atNs: toNs, path: [...step.path, { part, fromNs: step.atNs, toNs }] };
}

/** Both are awaited: the later one owns the way here. A tie goes to the first named, the setting. */
export const latest = (setting: Step, other: Step): Step =>
  other.atNs > setting.atNs ? other : setting;

/** The stretches inside [fromNs, toNs), neighbours of one name joined, empty ones dropped. */
export function clip(path: readonly Stretch[], fromNs: number, toNs: number): readonly Stretch[] {
  const parts: Stretch[] = [];
  for (const one of path) {
    const part = { ...one, fromNs: Math.max(one.fromNs, fromNs), toNs: Math.min(one.toNs, toNs) };
    if (part.toNs <= part.fromNs) continue;
    const last = parts.at(-1);
    if (last?.part === part.part && last.toNs === part.fromNs)
      parts[parts.length - 1] = { ...last, toNs: part.toNs };
    else parts.push(part);
  }
  return parts;
}

/** Who answers for each part, in the ledger's words. */
export const OWNER_OF: Readonly<Record<string, string>> = {
  uplink: 'network',
  endpointing: 'setting',
  transcription: 'STT service',
  preparation: 'pipeline',
  failed_attempt: 'provider',
  inference: 'model service',
  tool: 'tool',
  aggregation: 'setting',
  synthesis: 'TTS service',
  floor: 'policy',
  delivery: 'pipeline',
  leading_silence: 'TTS service',
  downlink: 'network',
  jitter_buffer: 'client',
  playout: 'client',
};
