// What the launcher takes from the command line; all else belongs to the collector.
//
//   npm start -- --demo --port 9000 -- --jitter 80
//                ^ launcher  ^ collector    ^ the example call

/**
 * @typedef {object} LaunchArguments
 * @property {boolean} isDemo
 * @property {boolean} hasDay
 * @property {boolean} isHelp
 * @property {string[]} collector
 * @property {string[]} demo
 */

/**
 * @param {readonly string[]} args
 * @returns {LaunchArguments}
 */
export function readArguments(args) {
  const cut = args.indexOf('--');
  const own = cut === -1 ? args : args.slice(0, cut);
  return {
    isDemo: own.includes('--demo'),
    hasDay: !own.includes('--no-day'),
    isHelp: own.includes('--help') || own.includes('-h'),
    collector: own.filter(arg => arg !== '--demo' && arg !== '--no-day'),
    demo: cut === -1 ? [] : args.slice(cut + 1),
  };
}

/**
 * What to type to start the same collector by hand: on the port it had, even when that was picked.
 * @param {readonly string[]} args of the collector
 * @param {string} url that it printed
 */
export function collectorByHand(args, url) {
  const port = new URL(url).port;
  const kept = [...args];
  const at = kept.findIndex(arg => arg === '--port' || arg.startsWith('--port='));
  if (at !== -1) kept.splice(at, kept[at] === '--port' ? 2 : 1);
  const flags = [...kept, '--port', port || '80'].map(quoted);
  return ['node packages/collector/bin/framescope.js serve', ...flags].join(' ');
}

/** @param {string} arg */
const quoted = arg => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`);

export const DEMO_HELP = `
The launcher (npm start) adds:
  --demo         load a simulated day, labelled as such, then run the example call
                 against this collector until Ctrl-C
  --no-day       with --demo: the example call alone, without the simulated day
  -- FLAGS       after --demo: flags of the example call, such as -- --jitter 80 --calls 4
                 (all of them: node examples/voice-agent/out/main.js --help)
`;
