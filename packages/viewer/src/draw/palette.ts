// Colours of the canvas, for light and dark. Chosen apart in lightness too, so
// that they hold for the colour-blind; nothing is told by colour alone.

export interface Palette {
  readonly ground: string;
  readonly lane: string;
  readonly station: string;
  readonly text: string;
  readonly quiet: string;
  readonly grid: string;
  readonly strong: string;
  /** By LEVEL: silent, calm, near, over, far, extreme. */
  readonly levels: readonly string[];
  /** Share over budget in a pixel: none, <2 %, <10 %, <40 %, more. */
  readonly heat: readonly string[];
  readonly worst: string;
  readonly user: string;
  readonly agent: string;
  readonly onSpeech: string;
  readonly userTint: string;
  readonly agentTint: string;
  readonly fan: string;
  readonly fanEdge: string;
  readonly accent: string;
  readonly selection: string;
  readonly error: string;
  /** Grounds of a row: under the pointer, and chosen. */
  readonly hover: string;
  readonly chosen: string;
}

export const LIGHT: Palette = {
  ground: '#ffffff',
  lane: '#f7f8fb',
  station: '#d4d9e3',
  text: '#1b2230',
  quiet: '#667085',
  grid: '#eceff4',
  strong: '#10151f',
  levels: ['#e6e9ef', '#c3cad6', '#79aed0', '#e0a030', '#d9572b', '#a3123a'],
  heat: ['#dbe3ec', '#c5d3e2', '#ecb04a', '#d9572b', '#a3123a'],
  worst: '#7c8aa3',
  user: '#3f76c4',
  agent: '#2f8a5b',
  onSpeech: '#ffffff',
  userTint: 'rgba(63,118,196,0.11)',
  agentTint: 'rgba(47,138,91,0.11)',
  fan: 'rgba(108,92,168,0.16)',
  fanEdge: '#9186c4',
  accent: '#2f5fd0',
  selection: 'rgba(47,95,208,0.10)',
  error: '#c2273d',
  hover: '#eff2f8',
  chosen: '#e8eefc',
};

export const DARK: Palette = {
  ground: '#10141b',
  lane: '#151a23',
  station: '#333c4c',
  text: '#e4e8ef',
  quiet: '#94a0b3',
  grid: '#1d2430',
  strong: '#ffffff',
  levels: ['#232b38', '#42506a', '#4f93bd', '#e3ab46', '#ee7746', '#ff5c85'],
  heat: ['#263244', '#31445d', '#dda63e', '#e8683c', '#ff5a96'],
  worst: '#7d8ca6',
  user: '#5b93e0',
  agent: '#46a877',
  onSpeech: '#0c1016',
  userTint: 'rgba(91,147,224,0.15)',
  agentTint: 'rgba(70,168,119,0.14)',
  fan: 'rgba(150,134,214,0.20)',
  fanEdge: '#8d80c9',
  accent: '#7aa2ff',
  selection: 'rgba(122,162,255,0.14)',
  error: '#ff6b81',
  hover: '#1d2430',
  chosen: '#1b2845',
};

/** Light or dark as the page has it now. */
export function palette(): Palette {
  return document.documentElement.dataset['theme'] === 'dark' ? DARK : LIGHT;
}

/** One hue per owner: network blue, settings amber, recogniser teal, model violet, speech rose, client green. */
export const PARTS: Readonly<Record<string, string>> = {
  signalling: '#5f86b8',
  ice: '#7f9fc9',
  dtls: '#a3b9dc',
  dispatch: '#c99a3c',
  cold_start: '#d8834f',
  uplink: '#8fb1d9',
  endpointing: '#dfb052',
  transcription: '#57a9a6',
  preparation: '#b9c0cc',
  inference: '#9276c2',
  tool: '#b0855c',
  failed_attempt: '#c2273d',
  aggregation: '#e8cd84',
  synthesis: '#c86b8a',
  leading_silence: '#e2abbd',
  floor: '#7f8aa3',
  delivery: '#bcc3cf',
  downlink: '#6f9fd8',
  jitter_buffer: '#7cbb93',
  playout: '#a5d3b3',
};

export const UNOWNED = '#cfd4dc';

/** A merged part takes its first name's colour; drawing hatches it. */
export function partColor(name: string): string {
  return PARTS[name] ?? PARTS[name.split('+')[0]!] ?? UNOWNED;
}

/** True for what has no single owner: it is hatched wherever it is drawn. */
export const isUnresolved = (name: string): boolean =>
  name === 'unattributed' || name.includes('+');
