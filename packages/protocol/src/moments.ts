// The moments of a wait: what happened when, in the words of the field.
//
// An open list with these constants. Some are recorded by the turn authority
// (it was there), some are looked up by the collector in the marks of a stream
// at a known tick (a process in the path saw that very sample pass).

/** Moments the turn authority records as they happen. */
export const RECORDED_MOMENTS = [
  'turn_decided', // end of turn decided: the agent owes sound from here on at the latest
  'transcript_final', // final transcript of the user's words arrived
  'model_requested', // request to the model sent
  'first_speakable', // first token that can be spoken (not a tool call, not thinking)
  'tool_started',
  'tool_ended',
  'speech_text_sent', // first text handed to TTS
  'first_audio', // first audio byte of the answer from TTS
  'first_frame_sent', // first frame of the answer left, voiced or not
] as const;

/** Moments the collector reads off the marks at a known tick. */
export const MARKED_MOMENTS = [
  'speech_end_captured', // last voiced user sample, first hop of the mic stream
  'speech_end_received', // the same sample, at the turn authority
  'first_voiced_sent', // first voiced agent sample, last hop at the agent
  'first_voiced_received', // first hop at the client
  'first_voiced_unbuffered', // left the jitter buffer
  'first_voiced_audible', // playout
] as const;

/**
 * How a call came about, before anybody could speak, and what became of its connection. Told by whichever
 * process saw it; the collector puts them before the greeting.
 */
export const SETUP_MOMENTS = [
  'call_started', // somebody asked for the call: the button was pressed, the line rang
  'signalled', // both ends know each other: the answer was applied, the socket is open
  'ice_connected', // a way for the media was found
  'dtls_connected', // its keys are agreed: media may flow
  'agent_requested', // an agent was asked for
  'process_started', // the process that answers was started
  'agent_started', // it got the call, and begins to load what the call needs
  'agent_ready', // it has it: the session is open there
  'connection_lost', // the way for the media is gone, and the call goes on
  'connection_restored',
] as const;

export type SetupName = (typeof SETUP_MOMENTS)[number];

export type MomentName =
  | (typeof RECORDED_MOMENTS)[number]
  | (typeof MARKED_MOMENTS)[number]
  | (string & {});
