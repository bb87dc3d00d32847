import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isResolved } from '../../../src/assemble/ledger/parts.ts';
import { pathOf, stretchesOf } from './picture.ts';

const LIVEKIT_DEFAULTS = `
  speech_end_received 0
  transcript_final    380
  turn_decided        500 (timer)
  model_requested     380
  first_speakable     820
  speech_text_sent    960
  first_audio         1150
  first_frame_sent    1155
  first_voiced_sent   1270
`;

test('preemptive generation: the window of 500 ms is not on the path and would save nothing', () => {
  expect(pathOf(LIVEKIT_DEFAULTS)).toEqual([
    'transcription 0..380 saves 380',
    'inference 380..820 saves 440',
    'aggregation 820..960 saves 140',
    'synthesis 960..1150 saves 190',
    'delivery 1150..1155 saves 5',
    'leading_silence 1155..1270 saves 115',
  ]);
});

test('a window of 500 beside a transcript at 900: the transcript is 900 exposed and saves 400', () => {
  expect(
    pathOf(`
      speech_end_received 0
      turn_decided        500 (timer)
      transcript_final    900
      model_requested     900
      first_speakable     1200
      speech_text_sent    1200
      first_audio         1300
      first_frame_sent    1300
      first_voiced_sent   1300
    `),
  ).toEqual([
    'transcription 0..900 saves 400',
    'inference 900..1200 saves 300',
    'synthesis 1200..1300 saves 100',
  ]);
});

test('a detector that needs the transcript starts when it is there', () => {
  expect(
    pathOf(`
      speech_end_received 0
      transcript_final    300
      turn_decided        420 (smart_turn)
      model_requested     420
      first_audio         800 (realtime model)
      first_frame_sent    800
      first_voiced_sent   800
    `),
  ).toEqual([
    'transcription 0..300 saves 300',
    'endpointing 300..420 saves 120',
    'inference 420..800 saves 380',
  ]);
});

test('a window beside the transcript, both gates of one request, tie: it goes to the setting', () => {
  expect(
    pathOf(`
      speech_end_received 0
      transcript_final    500
      turn_decided        500 (timer)
      model_requested     510
      first_speakable     600
      speech_text_sent    600
      first_audio         600
      first_frame_sent    600
      first_voiced_sent   600
    `).slice(0, 2),
  ).toEqual(['endpointing 0..500 saves 0', 'preparation 500..510 saves 10']);
});

test('the release waits for the decision when generation ran ahead of it', () => {
  expect(
    pathOf(`
      speech_end_received 0
      transcript_final    100
      model_requested     100
      first_speakable     300
      speech_text_sent    300
      first_audio         400
      turn_decided        700 (timer)
      first_frame_sent    710
      first_voiced_sent   720
    `),
  ).toEqual([
    'endpointing 0..700 saves 300',
    'delivery 700..710 saves 10',
    'leading_silence 710..720 saves 10',
  ]);
});

test('inference, tool and inference again, each named in its place', () => {
  expect(
    pathOf(`
      speech_end_received 0
      turn_decided        200 (timer)
      transcript_final    150
      model_requested     210 #a
      tool_started        500 #a
      tool_ended          900 #a
      model_requested     920 #b
      first_speakable     1200 #b
      speech_text_sent    1250 #b
      first_audio         1400 #b
      first_frame_sent    1400
      first_voiced_sent   1400
    `),
  ).toEqual([
    'endpointing 0..200 saves 50',
    'preparation 200..210 saves 10',
    'inference 210..500 saves 290',
    'tool 500..900 saves 400',
    'preparation 900..920 saves 20',
    'inference 920..1200 saves 280',
    'aggregation 1200..1250 saves 50',
    'synthesis 1250..1400 saves 150',
  ]);
});

test('of two tools side by side the longer is on the path, and saves only the difference', () => {
  expect(
    pathOf(`
      speech_end_received 0
      turn_decided        0
      transcript_final    0
      model_requested     0
      tool_started        100
      tool_started        110
      tool_ended          300
      tool_ended          500
      model_requested     500
      first_speakable     600
      speech_text_sent    600
      first_audio         600
      first_frame_sent    600
      first_voiced_sent   600
    `),
  ).toEqual([
    'inference 0..110 saves 110',
    'tool 110..500 saves 200',
    'inference 500..600 saves 100',
  ]);
});

test('a failed attempt is the failed provider’s, and the second try starts after it', () => {
  const picture = `
    speech_end_received 0
    turn_decided        200 (timer)
    transcript_final    100
    model_requested     1220
    first_speakable     1500
    speech_text_sent    1500
    first_audio         1600
    first_frame_sent    1600
    first_voiced_sent   1600
  `;
  const failed = [{ from: 205, to: 1205, resumes: ['model_requested', 'first_speakable'] }];
  expect(pathOf(picture, { failed }).slice(0, 4)).toEqual([
    'endpointing 0..200 saves 100',
    'preparation 200..205 saves 5',
    'failed_attempt 205..1205 saves 1000',
    'preparation 1205..1220 saves 15',
  ]);
});

test('only the generation that spoke is on the path', () => {
  expect(
    pathOf(`
      speech_end_received 0
      transcript_final    200
      turn_decided        250
      model_requested     90  #early
      first_speakable     240 #early
      model_requested     260 #late
      first_speakable     600 #late
      speech_text_sent    600 #late
      first_audio         700 #late
      first_frame_sent    700
      first_voiced_sent   700
    `),
  ).toEqual([
    'endpointing 0..250 saves 50',
    'preparation 250..260 saves 10',
    'inference 260..600 saves 340',
    'synthesis 600..700 saves 100',
  ]);
});

test('a missing moment merges its two parts, and the graph does not guess what they would save', () => {
  const without = (name: string): string[] =>
    pathOf(
      LIVEKIT_DEFAULTS.split('\n')
        .filter(line => !line.includes(name))
        .join('\n'),
    );
  expect(without('speech_text_sent')).toContain('aggregation+synthesis 820..1150 saves ?');
  expect(without('first_frame_sent')).toContain('delivery+leading_silence 1150..1270 saves ?');
  expect(without('first_speakable')).toContain('inference+aggregation 380..960 saves ?');
  expect(without('transcript_final')[0]).toBe('transcription+preparation 0..380 saves ?');
});

test('own earlier speech holds the floor from the start', () => {
  expect(
    pathOf(
      LIVEKIT_DEFAULTS.replace(
        'first_frame_sent    1155',
        'floor_free 1200\nfirst_frame_sent 1210',
      ),
    ),
  ).toEqual([
    'floor 0..1200 saves ?',
    'delivery 1200..1210 saves 10',
    'leading_silence 1210..1270 saves 60',
  ]);
});

test('declared edges are believed over the profile', () => {
  const declared = LIVEKIT_DEFAULTS.replace(/(speech_text_sent +)960/, '$1960 < turn_decided');
  expect(pathOf(declared).slice(0, 2)).toEqual([
    'endpointing 0..500 saves 500',
    'aggregation 500..960 saves 460',
  ]);
});

test('declared edges that run in a circle end, sum, and say that nobody owns the rest', () => {
  expect(
    pathOf(`
      speech_end_received 0
      a 100 < b
      b 200 < a
      first_frame_sent  300 < b
      first_voiced_sent 400
    `),
  ).toEqual([
    'unattributed 0..100 saves ?',
    'unattributed 100..200 saves ?',
    'delivery 200..300 saves 100',
    'leading_silence 300..400 saves 100',
  ]);
});

test('a canned greeting has no model that could be missing', () => {
  expect(
    pathOf(
      'wait_opened 0\nspeech_text_sent 30\nfirst_audio 200\nfirst_frame_sent 201\nfirst_voiced_sent 240',
      {
        kind: 'greeting',
      },
    ),
  ).toEqual([
    'preparation 0..30 saves 30',
    'synthesis 30..200 saves 170',
    'delivery 200..201 saves 1',
    'leading_silence 201..240 saves 39',
  ]);
});

test('a tool that began before the filler ended owns the silence from there on', () => {
  expect(
    stretchesOf(
      `wait_opened 0
       model_requested -900
       tool_started -700
       tool_ended 400
       model_requested 410
       first_speakable 600
       speech_text_sent 600
       first_audio 700
       first_frame_sent 700
       first_voiced_sent 700`,
      { kind: 'resume' },
    ).map(
      ({ parts, fromNs, toNs, fullNs }) =>
        `${parts.join('+')} ${(toNs - fromNs) / 1e6} of ${fullNs / 1e6}`,
    ),
  ).toEqual([
    'tool 400 of 1100',
    'preparation 10 of 10',
    'inference 190 of 190',
    'synthesis 100 of 100',
  ]);
});

const NAMES = [
  'transcript_final',
  'endpointing_ended',
  'turn_decided',
  'model_requested',
  'tool_started',
  'tool_ended',
  'first_speakable',
  'speech_text_sent',
  'first_audio',
  'first_frame_sent',
  'floor_free',
  'first_voiced_sent',
  'first_voiced_received',
  'first_voiced_unbuffered',
  'invented',
];

test('whatever is missing, repeated, out of order or in circles: parts are contiguous and sum exactly', () => {
  const line = fc.record({
    name: fc.constantFrom(...NAMES),
    at: fc.integer({ min: -500, max: 2_500 }),
    generation: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    after: fc.option(fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }), {
      nil: undefined,
    }),
  });
  const anyWait = fc.record({
    lines: fc.array(line, { maxLength: 14 }),
    end: fc.integer({ min: -10, max: 2_000 }),
    kind: fc.constantFrom('response' as const, 'greeting' as const, 'resume' as const),
  });
  fc.assert(
    fc.property(anyWait, ({ lines, end, kind }) => {
      const middle = lines.map(
        ({ name, at, generation, after }) =>
          `${name} ${at}${generation ? ` #${generation}` : ''}${after ? ` < ${after.join(' ')}` : ''}`,
      );
      const picture = ['speech_end_captured 0', ...middle, `first_voiced_audible ${end}`].join(
        '\n',
      );
      const stretches = stretchesOf(picture, { kind });
      let cursor = 0;
      let resolvedNs = 0;
      for (const { fromNs, toNs, savesNs, parts } of stretches) {
        expect(fromNs).toBe(cursor);
        expect(toNs).toBeGreaterThan(fromNs);
        if (savesNs !== null) expect(savesNs).toBeLessThanOrEqual(end * 1e6);
        if (isResolved(parts)) resolvedNs += toNs - fromNs;
        cursor = toNs;
      }
      expect(cursor).toBe(Math.max(0, end) * 1e6);
      expect(resolvedNs).toBeLessThanOrEqual(cursor);
    }),
    { numRuns: 500 },
  );
});
