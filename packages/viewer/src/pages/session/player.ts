// The recording of a call: opened from a file (dropped, or chosen; it never leaves the page) or from
// the collector, played in step with the frames, set beside them by an offset.

import type { Recording } from '@framescope/protocol';
import { prepareAudio } from '../../data/audio.ts';
import type { Stretch } from '../../data/peaks.ts';
import {
  atPlace,
  placeOf,
  secondsAt,
  waveTracks,
  type OpenRecording,
} from '../../state/recordings.ts';
import type { Track } from '../../layout/tracks.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { clock, moment } from '../../ui/format.ts';
import { wordsOf } from '../annotate.ts';

export interface PlayerHost {
  /** Speech of the turns, to set a recording beside it. */
  speech(): readonly Stretch[];
  /** Another recording, another offset, another place. */
  changed(): void;
  /** What of the call is in view. */
  view(): Stretch | undefined;
  /** The playhead moved while it plays: it should stay in view. */
  playing(atNs: number): void;
}

const STEP_S = 5;

export class Player {
  readonly element: HTMLElement = h('div', { class: 'player', hidden: true });
  readonly #host: PlayerHost;
  readonly #audio = h('audio', { preload: 'auto' });
  readonly #said = h('span', { class: 'bad', role: 'alert' });
  readonly #time = h('output', { 'aria-label': 'Place in the recording' });
  readonly #play = h('button', { class: 'button primary', type: 'button' }, 'Play');
  readonly #file = h('input', {
    type: 'file',
    accept: 'audio/*,.wav,.ogg,.opus',
    class: 'unseen',
    tabindex: '-1',
    'aria-label': 'Audio file',
  });
  #open: OpenRecording | undefined;
  #isBusy = false;

  constructor(host: PlayerHost) {
    this.#host = host;
    this.#file.addEventListener('change', () => {
      const file = this.#file.files?.[0];
      if (file) void this.openFile(file);
      this.#file.value = '';
    });
    this.#play.addEventListener('click', () => this.toggle());
    for (const name of ['play', 'pause', 'ended', 'seeked'])
      this.#audio.addEventListener(name, () => this.#tell());
    this.#audio.addEventListener('error', () => {
      if (this.#open)
        this.#say('This browser cannot play the file; its waveform is right all the same.');
    });
    this.element.append(this.#file);
  }

  close(): void {
    this.#audio.pause();
    this.#letGo();
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  get isPlaying(): boolean {
    return this.#open !== undefined && !this.#audio.paused;
  }

  get tracks(): readonly Track[] {
    return this.#open ? waveTracks(this.#open) : [];
  }

  /** Session time of the playhead. */
  get atNs(): number | undefined {
    return this.#open && atPlace(this.#open, this.#audio.currentTime);
  }

  /** What the collector keeps of this call; nothing kept, or open already: asks for a file. */
  choose(kept: Recording | undefined): void {
    if (kept && !this.#open) void this.#openKept(kept);
    else this.#file.click();
  }

  async openFile(file: File): Promise<void> {
    await this.#take(file.name, file, { url: URL.createObjectURL(file), startNs: null });
  }

  async #openKept(kept: Recording): Promise<void> {
    this.#busy(`Loading the recording`);
    try {
      const response = await fetch(kept.url);
      if (!response.ok) throw new Error(`The collector answered ${response.status}.`);
      await this.#take('kept recording', await response.blob(), kept);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #take(
    name: string,
    file: Blob,
    { url, startNs }: { readonly url: string; readonly startNs: number | null },
  ): Promise<void> {
    this.#busy(`Reading ${cut(name, 60)}`);
    try {
      const prepared = await prepareAudio(file, this.#host.speech());
      this.#letGo();
      this.#open = { name, prepared, url, ...placeOf(prepared, startNs) };
      this.#audio.src = url;
      this.#isBusy = false;
      this.#say('');
      this.#comeIntoView();
      this.#tell();
    } catch (error) {
      if (url.startsWith('blob:')) URL.revokeObjectURL(url);
      this.#fail(error);
    }
  }

  #letGo(): void {
    const url = this.#open?.url;
    this.#open = undefined;
    this.#audio.removeAttribute('src');
    if (url?.startsWith('blob:')) URL.revokeObjectURL(url);
  }

  #busy(text: string): void {
    this.#isBusy = true;
    this.#draw();
    this.#say(text, false);
  }

  #fail(error: unknown): void {
    this.#isBusy = false;
    this.#draw();
    this.#say(wordsOf(error));
  }

  #say(text: string, isBad = true): void {
    this.#said.className = isBad ? 'bad' : 'quiet';
    this.#said.textContent = text;
    this.element.hidden = !this.#open && text === '' && !this.#isBusy;
  }

  toggle(): void {
    if (!this.#open) return;
    if (!this.#audio.paused) return this.#audio.pause();
    this.#comeIntoView();
    void this.#audio.play().catch((error: unknown) => this.#say(wordsOf(error)));
  }

  /** What is played is what is looked at: from elsewhere the playhead comes to the view's start. */
  #comeIntoView(): void {
    const view = this.#host.view();
    const atNs = this.atNs!;
    if (view && (atNs < view.startNs || atNs >= view.endNs)) this.seek(view.startNs);
  }

  /** To a moment of the call. */
  seek(atNs: number): void {
    if (!this.#open) return;
    this.#audio.currentTime = secondsAt(this.#open, atNs);
    this.#tell();
  }

  step(by: 1 | -1): void {
    if (this.atNs !== undefined) this.seek(this.atNs + by * STEP_S * 1e9);
  }

  /** Called with each picture while it plays. */
  follow(): void {
    if (this.atNs === undefined) return;
    this.#time.textContent = this.#timeText();
    if (this.isPlaying) this.#host.playing(this.atNs);
  }

  #timeText(): string {
    const open = this.#open!;
    return `${clock(this.#audio.currentTime * 1e9)} of ${clock(open.prepared.durationNs)} · call ${moment(this.atNs!)}`;
  }

  #shift(byNs: number): void {
    if (!this.#open) return;
    this.#open.startNs += byNs;
    this.#open.how = 'by hand';
    this.#tell();
  }

  #tell(): void {
    this.#draw();
    this.#host.changed();
  }

  #draw(): void {
    const open = this.#open;
    this.#play.textContent = this.isPlaying ? 'Pause' : 'Play';
    this.#play.disabled = !open;
    if (!open) return fill(this.element, this.#file, this.#said);
    this.element.hidden = false;
    this.#time.textContent = this.#timeText();
    const shift = (text: string, byNs: number): HTMLElement =>
      h(
        'button',
        {
          class: 'button',
          type: 'button',
          'aria-label': `Recording ${text.slice(1)} ${byNs < 0 ? 'earlier' : 'later'}`,
          onclick: () => this.#shift(byNs),
        },
        text,
      );
    const focused = document.activeElement?.getAttribute('aria-label');
    fill(
      this.element,
      this.#file,
      this.#play,
      this.#time,
      h(
        'span',
        { class: 'quiet' },
        `${cut(open.name, 40)}, begins at ${moment(open.startNs)} (${HOW[open.how]})`,
      ),
      h(
        'div',
        { class: 'group', role: 'group', 'aria-label': 'Set the recording beside the frames' },
        shift('−1 s', -1e9),
        shift('−20 ms', -20e6),
        shift('+20 ms', 20e6),
        shift('+1 s', 1e9),
      ),
      this.#aligner(open),
      this.#said,
      h('span', { class: 'spring' }),
      h(
        'button',
        {
          class: 'button bare',
          type: 'button',
          onclick: () => {
            this.close();
            this.element.hidden = true;
            this.#tell();
          },
        },
        'Close',
      ),
    );
    if (focused)
      this.element.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Back to where speech fits best, when somebody has moved it. */
  #aligner(open: OpenRecording): HTMLElement | undefined {
    const { aligned } = open.prepared;
    if (!aligned || open.how === 'aligned') return undefined;
    return h(
      'button',
      {
        class: 'button',
        type: 'button',
        title: 'Where what is loud lies on what was said',
        onclick: () => {
          open.startNs = aligned.startNs;
          open.how = 'aligned';
          this.#tell();
        },
      },
      'Fit to the turns',
    );
  }
}

const HOW = {
  told: 'as recorded',
  aligned: 'fitted to the turns',
  'by hand': 'set by hand',
  'call start': 'the call’s start: not known',
} as const;
