// Gate: what a page loads for us stays small. Bundles an ordinary page (page.mjs: one
// call, microphone and playout, one turn) as a user's bundler would, with
// `@opentelemetry/*` left out (their page has it), and gzips what is ours.
//
// Two figures, since both are paid: what the page has to have before it runs, and
// all that it has loaded when the call is over. The limit is meant for both; the
// first keeps it, the second is missed, and a ceiling keeps that from growing.
//
//   node packages/instrument/gates/bundle-size.mjs [--json]
//
// Runs on the built files.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

/** What it shall be. */
const LIMIT_BYTES = 12_000;
/** What an ordinary call loads today and a little: it may only shrink. Lower it whenever it did. */
const CEILING_TOTAL_BYTES = 34_700;

const ENTRY = fileURLToPath(new URL('page.mjs', import.meta.url));

const bundle = await rolldown({
  input: ENTRY,
  platform: 'browser',
  external: [/^@opentelemetry\//],
  // As bundlers of applications do: an entry exports nothing, and holds what others share with it.
  preserveEntrySignatures: false,
  logLevel: 'silent',
});
const { output } = await bundle.generate({ format: 'es', minify: true });
const chunks = output.flatMap(file => (file.type === 'chunk' ? [file] : []));
const entry = chunks.find(chunk => chunk.isEntry);
/** @type {Set<string>} Files that the page has to have before the entry runs: all it imports, however far. */
const atOnce = new Set();
/** @param {string} fileName */
const needs = fileName => {
  if (atOnce.has(fileName)) return;
  atOnce.add(fileName);
  for (const one of chunks.find(chunk => chunk.fileName === fileName)?.imports ?? []) needs(one);
};
if (entry !== undefined) needs(entry.fileName);
/** @param {typeof chunks} of */
const bytesOf = of => of.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
const bytes = bytesOf(chunks.filter(chunk => atOnce.has(chunk.fileName)));
const laterBytes = bytesOf(chunks.filter(chunk => !atOnce.has(chunk.fileName)));
const isOver = bytes > LIMIT_BYTES || bytes + laterBytes > CEILING_TOTAL_BYTES;

if (process.argv.includes('--json')) console.log(JSON.stringify({ bytes, laterBytes }));
else
  console.log(
    `browser bundle: ${bytes} bytes gzip with the page (limit ${LIMIT_BYTES}, fails above it), ${bytes + laterBytes} when a call is over (limit ${LIMIT_BYTES}, missed; fails above ${CEILING_TOTAL_BYTES})`,
  );
if (isOver && !process.argv.includes('--json')) {
  console.error(
    'The entry has grown: move what few pages need behind an entry of its own, or a dynamic import.',
  );
  process.exitCode = 1;
}
