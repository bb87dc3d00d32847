// `npm start`: the collector, and with `--demo` a simulated day and the example call beside it.
//
// The launcher is the parent of both and restarts neither: a collector that is
// killed may be started again by hand, on the same data, and the call carries on.

import { join } from 'node:path';
import { setUp } from '../setup/setup.mjs';
import { ROOT } from '../setup/workspace.mjs';
import { DEMO_HELP, collectorByHand, readArguments } from './arguments.mjs';
import { Children, inWords } from './children.mjs';

/**
 * The scripts that the launcher starts; a test gives its own.
 * @typedef {{ collector: string, day: string, call: string }} Programs
 */

/** @type {Programs} */
const PROGRAMS = {
  collector: join(ROOT, 'packages/collector/bin/framescope.js'),
  day: join(ROOT, 'packages/testkit/out/load-day.js'),
  call: join(ROOT, 'examples/voice-agent/out/main.js'),
};

/** The collector's one line: `Framescope is ready on http://127.0.0.1:4318`. */
const READY = /\bready on (https?:\/\/\S+)/;

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function launch(args) {
  await setUp();
  return launchPrograms(args, PROGRAMS);
}

/**
 * @param {string[]} args
 * @param {Programs} programs
 * @returns {Promise<number>} the exit code
 */
export async function launchPrograms(args, programs) {
  const chosen = readArguments(args);
  const children = new Children();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => children.stop(signal));
  if (chosen.isHelp) return printHelp(children, programs);
  if (chosen.isDemo) return runDemo(children, programs, chosen);
  const ended = await children.start([programs.collector, 'serve', ...chosen.collector]);
  return exitCode(children, ended);
}

/**
 * @param {Children} children
 * @param {Programs} programs
 */
async function printHelp(children, programs) {
  const ended = await children.start([programs.collector, 'serve', '--help']);
  console.log(DEMO_HELP);
  return ended.code ?? 1;
}

/**
 * Being stopped by the user is a success, whatever signal the child reports.
 * @param {Children} children
 * @param {import('./children.mjs').Ended} ended
 */
const exitCode = (children, ended) => (children.isStopping ? 0 : (ended.code ?? 1));

/**
 * @param {Children} children
 * @param {Programs} programs
 * @param {import('./arguments.mjs').LaunchArguments} chosen
 */
async function runDemo(children, programs, chosen) {
  /** @type {(url: string) => void} */
  let isReady = () => {};
  const ready = new Promise(resolve => (isReady = resolve));
  const collector = children.start([programs.collector, 'serve', ...chosen.collector], line => {
    const url = READY.exec(line)?.[1];
    if (url !== undefined) isReady(url);
  });
  const first = await Promise.race([ready, collector]);
  // It never came up (a port in use, a newer store): it has said why.
  if (typeof first !== 'string') return exitCode(children, first);
  void collector.then(ended => {
    if (children.isStopping) return;
    console.log(
      `\nThe collector ended (${inWords(ended)}). The demo keeps running and will find it again; start it with\n` +
        `  ${collectorByHand(chosen.collector, first)}\nCtrl-C ends the demo.\n`,
    );
  });
  if (chosen.hasDay) await loadDay(children, programs, first);
  if (!children.isStopping) await runCalls(children, programs, first, chosen.demo);
  const ended = await collector;
  return exitCode(children, ended);
}

/**
 * @param {Children} children
 * @param {Programs} programs
 * @param {string} url
 */
async function loadDay(children, programs, url) {
  console.log('Demo: loading a simulated day (its sessions are labelled as simulated)');
  const day = await children.start([programs.day, '--url', url]);
  if (!children.isStopping && day.code !== 0)
    console.log(`Demo: the simulated day was not loaded whole (${inWords(day)})`);
}

/**
 * The example call, which runs until it is stopped.
 * @param {Children} children
 * @param {Programs} programs
 * @param {string} url
 * @param {readonly string[]} demoArgs
 */
async function runCalls(children, programs, url, demoArgs) {
  console.log(`Demo: a live call is running, look at ${url}   (Ctrl-C ends everything)`);
  const call = await children.start([programs.call, '--loop', '--collector', url, ...demoArgs]);
  if (!children.isStopping)
    console.log(
      `Demo: the example call ended (${inWords(call)}). The collector keeps running; Ctrl-C ends it.`,
    );
}
