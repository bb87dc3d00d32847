// Gate: what a page loads for us stays small. Bundles the browser entry as a
// user's bundler would, `@opentelemetry/*` left out (their page has it), and
// gzips it. What is loaded later, on demand, is told beside it.
//
//   node packages/instrument/gates/bundle-size.mjs [--json]
//
// Runs on the built files.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

/** What it shall be. `npm run bench -- instrument` says by how much it is missed. */
const LIMIT_BYTES = 12_000;
/** What it is today and a little: it may only shrink. Lower these whenever it did. */
const CEILING_BYTES = 21_000;
const CEILING_TOTAL_BYTES = 38_000;

const ENTRY = fileURLToPath(new URL('../out/index.browser.js', import.meta.url));

const bundle = await rolldown({
  input: ENTRY,
  platform: 'browser',
  external: [/^@opentelemetry\//],
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
const isOver = bytes > CEILING_BYTES || bytes + laterBytes > CEILING_TOTAL_BYTES;

if (process.argv.includes('--json')) console.log(JSON.stringify({ bytes, laterBytes }));
else
  console.log(
    `browser bundle: ${bytes} bytes gzip at once (limit ${LIMIT_BYTES}, fails above ${CEILING_BYTES}), ${bytes + laterBytes} with what is loaded later (fails above ${CEILING_TOTAL_BYTES})`,
  );
if (isOver && !process.argv.includes('--json')) {
  console.error(
    'The entry has grown: move what few pages need behind an entry of its own, or a dynamic import.',
  );
  process.exitCode = 1;
}
