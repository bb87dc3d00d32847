// Module hooks: who asks for the instrumentation gets the audited one. The
// example's sources stay as a user would write them.

const AUDITED = new URL('./audited-instrument.mjs', import.meta.url).href;

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  if (specifier !== '@framescope/instrument' || context.parentURL === AUDITED)
    return nextResolve(specifier, context);
  return { url: AUDITED, shortCircuit: true };
}
