// Reports of calls, as the types of each vendor's SDK have them: whole, so that the SDKs'
// own types can be held against them (test/interop/vendors.interop.ts). No call of these
// vendors was ever seen; what is said in them is made up.

/** 2026-11-30T12:00:00.000Z. */
export const REPORT_START_MS: number = Date.UTC(2026, 10, 30, 12);
const at = (seconds: number): number => REPORT_START_MS + seconds * 1_000;
const iso = (seconds: number): string => new Date(at(seconds)).toISOString();

const said = (role: 'user' | 'bot', message: string, from: number, to: number) => ({
  role,
  message,
  time: at(from),
  endTime: at(to),
  secondsFromStart: from,
  duration: to - from,
});

/** Two answers: 1,450 ms whose parts leave 50, and 900 ms whose parts are longer. */
export const vapiReport = {
  message: {
    type: 'end-of-call-report',
    endedReason: 'customer-ended-call',
    startedAt: iso(0),
    endedAt: iso(20),
    timestamp: at(21),
    analysis: {},
    call: {
      id: 'vapi-call-1',
      orgId: 'org',
      type: 'webCall',
      createdAt: iso(0),
      updatedAt: iso(21),
      assistantId: 'assistant-1',
    },
    assistant: {
      model: { provider: 'openai', model: 'gpt-4o' },
      voice: { provider: '11labs', voiceId: 'sarah' },
      transcriber: { provider: 'deepgram', model: 'nova-3' },
    },
    artifact: {
      messages: [
        { role: 'system', message: 'Be short.', time: at(0), secondsFromStart: 0 },
        said('bot', 'Hello, how can I help?', 0.4, 2),
        said('user', 'Is there a table for two?', 3, 4.5),
        {
          role: 'tool_calls',
          toolCalls: [
            { id: 'call_1', type: 'function', function: { name: 'tables', arguments: '{}' } },
          ],
          message: '',
          time: at(5.2),
          secondsFromStart: 5.2,
        },
        {
          role: 'tool_call_result',
          toolCallId: 'call_1',
          name: 'tables',
          result: '2',
          time: at(5.6),
          secondsFromStart: 5.6,
        },
        said('bot', 'Yes, at eight.', 5.95, 7.5),
        said('user', 'Thank you,', 9, 9.5),
        said('user', 'and goodbye.', 9.8, 10.5),
        said('bot', 'Goodbye!', 11.4, 12),
      ],
      performanceMetrics: {
        turnLatencies: [
          {
            transcriberLatency: 300,
            endpointingLatency: 250,
            modelLatency: 600,
            voiceLatency: 250,
            turnLatency: 1_450,
          },
          {
            transcriberLatency: 400,
            endpointingLatency: 300,
            modelLatency: 500,
            voiceLatency: 200,
            turnLatency: 900,
          },
        ],
        turnLatencyAverage: 1_175,
        numAssistantInterrupted: 0,
      },
    },
  },
} as const;

const utterance = (role: 'user' | 'agent', content: string, start: number, end: number) => ({
  role,
  content,
  words: [
    { word: content, start, end: (start + end) / 2 },
    { word: '', start: (start + end) / 2, end },
  ],
});

const latency = (...values: number[]) => ({
  values,
  num: values.length,
  min: Math.min(...values),
  max: Math.max(...values),
});

/** As many values of e2e, llm and tts as answers; one more of asr. */
export const retellReport = {
  event: 'call_ended',
  call: {
    call_type: 'web_call',
    access_token: '',
    call_id: 'retell-call-1',
    agent_id: 'agent-1',
    agent_name: 'Table',
    agent_version: 3,
    call_status: 'ended',
    start_timestamp: at(0),
    end_timestamp: at(20),
    duration_ms: 20_000,
    disconnection_reason: 'user_hangup',
    latency: {
      e2e: latency(1_300, 1_700),
      llm: latency(640, 900),
      tts: latency(210, 240),
      asr: latency(120, 90, 200),
    },
    transcript_object: [
      utterance('agent', 'Hello, how can I help?', 0.3, 2),
      utterance('user', 'Is there a table for two?', 3, 4.5),
      utterance('agent', 'Yes, at eight.', 5.8, 7),
      utterance('user', 'Thank you.', 8, 8.6),
      utterance('agent', 'Goodbye!', 10.3, 11),
    ],
  },
} as const;

const seconds = (metrics: Readonly<Record<string, number>>) => ({
  metrics: Object.fromEntries(
    Object.entries(metrics).map(([name, elapsed_time]) => [name, { elapsed_time }]),
  ),
});

/** The model's first sentence is later than its first byte; the second answer was spoken over. */
export const elevenLabsReport = {
  type: 'post_call_transcription',
  event_timestamp: at(21) / 1_000,
  data: {
    agent_id: 'agent-1',
    conversation_id: 'conv_1',
    status: 'done',
    has_audio: false,
    has_user_audio: false,
    has_response_audio: false,
    has_auxiliary_audio: false,
    metadata: {
      start_time_unix_secs: at(0) / 1_000,
      call_duration_secs: 20,
      termination_reason: 'client disconnected',
      main_language: 'en',
    },
    transcript: [
      {
        role: 'agent',
        message: 'Hello, how can I help?',
        time_in_call_secs: 0,
        conversation_turn_metrics: seconds({ convai_tts_service_ttfb: 0.2 }),
      },
      {
        role: 'user',
        message: 'Is there a table for two?',
        time_in_call_secs: 3,
        conversation_turn_metrics: seconds({ convai_asr_trailing_service_latency: 0.15 }),
      },
      {
        role: 'agent',
        message: 'Yes, at eight.',
        time_in_call_secs: 6,
        producing_llm: 'gemini-2.5-flash',
        interrupted: false,
        conversation_turn_metrics: {
          ...seconds({
            convai_llm_service_ttfb: 0.6,
            convai_llm_service_ttf_sentence: 0.7,
            convai_tts_service_ttfb: 0.25,
            convai_ttf_audio_since_silence: 1.4,
          }),
          voice_id: 'voice-1',
        },
        llm_usage: {
          model_usage: {
            'gemini-2.5-flash': {
              input: { tokens: 874, price: 0.0001 },
              output_total: { tokens: 17, price: 0.00001 },
            },
          },
        },
      },
      { role: 'user', message: 'And for', time_in_call_secs: 8 },
      {
        role: 'agent',
        message: 'For how',
        time_in_call_secs: 10,
        interrupted: true,
        conversation_turn_metrics: seconds({ convai_ttf_audio_since_silence: 1.1 }),
      },
    ],
  },
} as const;

/** Events as a client of Deepgram's agent writes them down. */
export const deepgramEvents = [
  { received_at: iso(0), event: { type: 'Welcome', request_id: 'deepgram-1' } },
  {
    received_at: iso(0.1),
    event: {
      type: 'Settings',
      audio: {},
      agent: {
        listen: { provider: { type: 'deepgram', version: 'v1', model: 'nova-3' } },
        think: { provider: { type: 'open_ai', model: 'gpt-4o-mini' } },
        speak: { provider: { type: 'deepgram', model: 'aura-2-thalia-en' } },
      },
    },
  },
  { received_at: iso(0.2), event: { type: 'SettingsApplied' } },
  { received_at: iso(3), event: { type: 'UserStartedSpeaking' } },
  {
    received_at: iso(4.6),
    event: { type: 'ConversationText', role: 'user', content: 'Is there a table for two?' },
  },
  {
    received_at: iso(5.7),
    event: {
      type: 'LatencyReport',
      stt_latency: 0.2,
      ttt_token_latency: 0.45,
      ttt_text_latency: 0.5,
      tts_latency: 0.3,
      total_latency: 1.2,
    },
  },
  {
    received_at: iso(5.9),
    event: { type: 'ConversationText', role: 'assistant', content: 'Yes, at eight.' },
  },
  { received_at: iso(6.4), event: { type: 'UserStartedSpeaking' } },
  {
    received_at: iso(7),
    event: { type: 'ConversationText', role: 'user', content: 'Wait, for three.' },
  },
  {
    received_at: iso(8.1),
    event: { type: 'LatencyReport', stt_latency: 0.2, ttt_text_latency: 0.4, total_latency: 1 },
  },
  {
    received_at: iso(8.3),
    event: { type: 'ConversationText', role: 'assistant', content: 'For three, then.' },
  },
  { received_at: iso(9), event: { type: 'AgentAudioDone' } },
] as const;
