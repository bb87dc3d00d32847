// The worklet module, added once to each audio context.

import { processorsSource } from './processors.ts';

const added = new WeakMap<BaseAudioContext, Promise<void>>();

/** Rejects where the browser cannot, or a content security policy forbids `worker-src blob:`. */
export function addProcessors(context: BaseAudioContext): Promise<void> {
  const known = added.get(context);
  if (known !== undefined) return known;
  const url = URL.createObjectURL(new Blob([processorsSource()], { type: 'text/javascript' }));
  const adding = context.audioWorklet.addModule(url).finally(() => URL.revokeObjectURL(url));
  added.set(context, adding);
  return adding;
}
