// `@framescope/instrument/web-audio`: capture and playout of an audio graph.

export {
  tapCapture,
  type CaptureOptions,
  type CaptureTap,
} from '../transport/web-audio/capture.ts';
export {
  createPlayout,
  type Playout,
  type PlayoutFigures,
  type PlayoutOptions,
} from '../transport/web-audio/playout.ts';
