// Makes clips/voice: every sentence the replayed model can say, spoken by
// espeak-ng, as 8-bit mu-law WAV at 16 kHz. Needs espeak-ng and a built tree:
//
//   npm run build && node examples/voice-agent/clips/make-voice.mjs

import { mkdirSync, writeFileSync } from 'node:fs';
import { GREETING } from '../out/common/script.js';
import { sentencesOf } from '../out/common/sentences.js';
import { REPLIES } from '../out/models/replies.js';
import { findVoice } from '../out/models/voice.js';

const folder = new URL('./voice/', import.meta.url);
const texts = [GREETING, ...REPLIES.flatMap(reply => [reply.text, reply.filler])];
const voice = await findVoice();
if (voice.name !== 'espeak-ng') throw new Error('espeak-ng is not installed');
mkdirSync(folder, { recursive: true });
const index = {};
for (const sentence of new Set(texts.flatMap(sentencesOf))) {
  const slug = sentence
    .toLowerCase()
    .replace(/[^a-z]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
  index[sentence] = `${slug}.wav`;
  writeFileSync(new URL(index[sentence], folder), muLawWav(await voice.render(sentence)));
}
writeFileSync(new URL('index.json', folder), `${JSON.stringify(index, undefined, 2)}\n`);

function muLawWav(pcm) {
  const bytes = Buffer.alloc(44 + pcm.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + pcm.length, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(7, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(16_000, 24);
  bytes.writeUInt32LE(16_000, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(pcm.length, 40);
  for (let i = 0; i < pcm.length; i += 1) bytes[44 + i] = linearToMuLaw(pcm[i]);
  return bytes;
}

/** ITU-T G.711. */
function linearToMuLaw(sample) {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(32_635, Math.abs(sample)) + 0x84;
  const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7);
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}
