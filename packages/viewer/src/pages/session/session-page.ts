// Session: the frame timeline of one call, live or past. The page holds what is
// chosen, follows the keys, and draws what stands round the timeline.

import type { Recording, Turn } from '@framescope/protocol';
import { api } from '../../data/api.ts';
import { sessionRoute, type Route, type SessionView } from '../../state/route.ts';
import { SessionModel } from '../../state/session-model.ts';
import { onTheme } from '../../state/theme.ts';
import { viewOfTurn } from '../../state/turn-view.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { duration } from '../../ui/format.ts';
import { wordsOf } from '../annotate.ts';
import { failed, loading, settled, throttled, type App, type Page } from '../page.ts';
import { sessionExports } from './exports.ts';
import { Player } from './player.ts';
import { sessionHead, toolbar, windowText } from './head.ts';
import { ledgerPanel } from './ledger-panel.ts';
import { spansOnly } from './spans-only.ts';
import { Timeline, type Chosen, type FrameName } from './timeline.ts';

const FRAME = /^(.+):(\d+)$/;

export class SessionPage implements Page {
  readonly element: HTMLElement = h('div', { class: 'session' });
  readonly #app: App;
  readonly #key: string;
  readonly #model: SessionModel;
  readonly #chosen: Chosen = { turn: undefined, frame: undefined, isRaw: false };
  readonly #timeline: Timeline;
  readonly #player: Player;
  readonly #head = h('header', { class: 'session-head' });
  readonly #tools = h('div', { class: 'toolbar', role: 'toolbar', 'aria-label': 'Timeline' });
  readonly #side = h('aside', { class: 'panel', 'aria-label': 'Ledger of the turn' });
  readonly #body = h('div', { class: 'session-body' });
  readonly #said = h('p', { class: 'unseen', role: 'status' });
  readonly #redraw = throttled(300, () => this.#drawAround());
  readonly #note = settled(250, () => this.#noteNow());
  readonly #off: (() => void)[];
  #shownTurn = '';
  #shownDetail: unknown;
  #shownTools = '';
  #kept: Recording | undefined;

  constructor(app: App, key: string, view: SessionView) {
    this.#app = app;
    this.#key = key;
    this.#model = new SessionModel(key, app, () => this.#changed());
    this.#player = new Player({
      speech: () =>
        this.#model.turns.flatMap(({ user, agent }) => [user, agent].filter(one => one !== null)),
      changed: () => {
        this.#timeline.redraw();
        this.#redraw();
      },
      view: () => {
        const { view } = this.#timeline;
        return view && { startNs: view.fromNs, endNs: view.toNs };
      },
      playing: atNs => this.#timeline.keepInView(atNs),
    });
    const host = {
      moved: () => this.#moved(),
      pickTurn: (tick: number) => this.#selectTurn(tick),
      pickFrame: (frame: FrameName | undefined) => this.#selectFrame(frame),
    };
    this.#timeline = new Timeline(this.#model, this.#chosen, host, this.#player);
    this.#listenForFiles();
    this.#body.append(this.#timeline.element);
    this.#off = [
      onTheme(() => this.#timeline.themed()),
      app.budgets.onChange(() => {
        this.#shownTurn = '';
        this.#changed();
      }),
    ];
    fill(this.element, loading('Loading the call'));
    void this.#start(view);
  }

  get title(): string {
    return cut(this.#model.detail?.id ?? 'Session', 40);
  }

  update(route: Route): boolean {
    if (route.page !== 'session' || route.key !== this.#key) return false;
    if (this.#model.detail) this.#take(route.view);
    return true;
  }

  close(): void {
    this.#model.close();
    this.#player.close();
    this.#timeline.close();
    this.#redraw.cancel();
    this.#note.cancel();
    for (const off of this.#off) off();
  }

  async #start(view: SessionView): Promise<void> {
    try {
      await this.#model.load();
    } catch (error) {
      return fill(
        this.element,
        failed(error, () => void this.#start(view), 'h1'),
      );
    }
    this.#take(view);
    void this.#lookForRecordings();
    document.title = `${this.title} · Framescope`;
  }

  /** What the collector kept of the call; it is fetched when somebody opens it. */
  async #lookForRecordings(): Promise<void> {
    try {
      const { items } = await api.recordings(this.#key);
      if (items.length === 0) return;
      this.#kept = items[0];
      this.#shownTools = '';
      this.#redraw();
    } catch {
      return;
    }
  }

  /** A file of audio dropped anywhere on the page plays beside the frames. */
  #listenForFiles(): void {
    const isFile = (event: DragEvent): boolean =>
      event.dataTransfer?.types.includes('Files') === true;
    const over = (event: DragEvent): void => {
      if (!isFile(event)) return;
      event.preventDefault();
      this.element.classList.add('dropping');
    };
    this.element.addEventListener('dragover', over);
    this.element.addEventListener('dragleave', () => this.element.classList.remove('dropping'));
    this.element.addEventListener('drop', event => {
      if (!isFile(event)) return;
      event.preventDefault();
      this.element.classList.remove('dropping');
      const file = event.dataTransfer?.files[0];
      if (file) void this.#player.openFile(file);
    });
  }

  /** Shows what an address says. */
  #take(view: SessionView): void {
    const [, stream, tick] = FRAME.exec(view.frame ?? '') ?? [];
    this.#chosen.turn = view.turn;
    this.#chosen.isRaw = view.isRaw;
    this.#chosen.frame = stream === undefined ? undefined : { stream, tick: Number(tick) };
    this.#timeline.show(view);
    this.#changed();
  }

  #changed(): void {
    this.#timeline.invalidate();
    this.#redraw();
  }

  /** Something that the address tells has changed. */
  #moved(): void {
    this.#note();
    this.#timeline.redraw();
    this.#redraw();
  }

  /** Into the address, once the picture stands: each write has the browser fetch the page's icon anew. */
  #noteNow(): void {
    const { view, isFollowing } = this.#timeline;
    const { turn, frame, isRaw } = this.#chosen;
    this.#app.note(
      sessionRoute(this.#key, {
        ...(isFollowing || !view ? {} : view),
        turn,
        frame: frame && `${frame.stream}:${frame.tick}`,
        isRaw,
      }),
    );
  }

  /** Everything round the picture: head, tools, panel. */
  #drawAround(): void {
    const { detail, turns } = this.#model;
    if (!detail || !this.#timeline.view) return;
    if (this.#shownDetail !== detail)
      fill(this.#head, ...sessionHead(detail, () => void this.#togglePin()));
    this.#shownDetail = detail;
    const isBare = detail.streams.length === 0 && turns.length === 0;
    if (isBare) return fill(this.element, this.#head, spansOnly(detail));
    if (!this.#body.isConnected)
      fill(this.element, this.#head, this.#tools, this.#player.element, this.#body, this.#said);
    this.#drawTools();
    this.#drawPanel(this.#model.turnAt(this.#chosen.turn));
    this.#timeline.lanes.setAttribute(
      'aria-label',
      `Frames of ${cut(detail.id, 60)} from mouth to ear, ${turns.length} turns. Keys: W S zoom, A D pan, brackets for turns, comma and full stop for late frames.`,
    );
  }

  #drawTools(): void {
    const { turns, isLive } = this.#model;
    const { isFollowing, view } = this.#timeline;
    const { turn: chosen, isRaw } = this.#chosen;
    const index = turns.findIndex(turn => turn.tick === chosen);
    const output = this.#tools.querySelector('output');
    const shown = JSON.stringify([turns.length, index, isLive, isFollowing, isRaw]);
    if (output) output.textContent = windowText(view!);
    if (output && shown === this.#shownTools) return;
    this.#shownTools = shown;
    const focused = document.activeElement;
    const position = [...this.#tools.querySelectorAll('button')].indexOf(
      focused as HTMLButtonElement,
    );
    fill(
      this.#tools,
      ...toolbar({
        view: view!,
        isLive,
        isFollowing,
        isRaw,
        turnText: index < 0 ? `${turns.length} turns` : `turn ${index + 1} of ${turns.length}`,
        act: key => this.#act(key),
      }),
      h(
        'button',
        {
          class: 'button',
          type: 'button',
          title:
            'The recording that the collector keeps, else a WAV or Ogg file, which may also be dropped onto the page: it is not uploaded',
          onclick: () => this.#player.choose(this.#kept),
        },
        this.#kept ? 'Recording' : 'Open audio',
      ),
      sessionExports(this.#model, () => this.#timeline.layers),
    );
    // Drawn anew, the tool that had the focus keeps it.
    this.#tools.querySelectorAll('button')[position]?.focus();
  }

  #drawPanel(turn: Turn | undefined): void {
    this.#body.classList.toggle('open', turn !== undefined);
    if (!turn) {
      this.#shownTurn = '';
      this.#side.remove();
      return;
    }
    const shown = JSON.stringify([turn, this.#model.turns.length]);
    if (shown === this.#shownTurn) return;
    const scrollTop = this.#side.isConnected && this.#shownTurn !== '' ? this.#side.scrollTop : 0;
    this.#shownTurn = shown;
    fill(
      this.#side,
      ...ledgerPanel(this.#model, turn, {
        close: () => this.#selectTurn(undefined),
        fit: () => this.#act('f'),
      }),
    );
    if (!this.#side.isConnected) this.#body.append(this.#side);
    this.#side.scrollTop = scrollTop;
  }

  #selectTurn(tick: number | undefined): void {
    this.#chosen.turn = tick;
    this.#say(this.#model.turnAt(tick));
    this.#moved();
  }

  #selectFrame(frame: FrameName | undefined): void {
    this.#chosen.frame = frame && { stream: frame.stream, tick: frame.tick };
    if (frame) this.#said.textContent = `Frame at sample ${frame.tick + 1} of ${frame.stream}`;
    this.#moved();
  }

  /** For those who do not see the picture: which turn is chosen now. */
  #say(turn: Turn | undefined): void {
    const waitNs = turn?.waits[0]?.waitNs;
    this.#said.textContent = turn
      ? `Turn ${this.#model.turns.indexOf(turn) + 1} of ${this.#model.turns.length}${waitNs === undefined ? '' : `, wait ${duration(waitNs)}`}`
      : '';
  }

  key(event: KeyboardEvent): boolean {
    return this.#act(event.key.toLowerCase());
  }

  #act(key: string): boolean {
    if (!this.#timeline.view) return false;
    const timeline = this.#timeline;
    const actions: Readonly<Record<string, () => void>> = {
      w: () => timeline.zoom(0.7),
      s: () => timeline.zoom(1 / 0.7),
      a: () => timeline.pan(-0.2),
      d: () => timeline.pan(0.2),
      arrowleft: () => timeline.pan(-0.2),
      arrowright: () => timeline.pan(0.2),
      f: () => timeline.fit(),
      l: () => timeline.toggleFollowing(),
      r: () => this.#toggleRaw(),
      m: () => void this.#togglePin(),
      '[': () => this.#stepTurn(-1),
      ']': () => this.#stepTurn(1),
      ',': () => timeline.stepLate(-1),
      '.': () => timeline.stepLate(1),
      ' ': () => this.#player.toggle(),
      j: () => this.#player.step(-1),
      k: () => this.#player.step(1),
      escape: () => this.#letGo(),
    };
    const action = actions[key];
    // Without a recording the space bar presses what has the focus, as everywhere.
    if (key === ' ' && !this.#player.isOpen) return false;
    action?.();
    return action !== undefined;
  }

  /** Keeps the call, or lets it go; the live event that follows draws it on every page. */
  async #togglePin(): Promise<void> {
    const { detail, key } = this.#model;
    if (!detail) return;
    const isPinned = detail.pinned === true;
    try {
      if (isPinned) await api.unpin(key);
      const pin = isPinned ? undefined : await api.pin(key, '');
      this.#said.textContent = isPinned
        ? 'Let go: retention may take it.'
        : pin?.isWhole
          ? 'Kept.'
          : 'Kept as it is: retention had taken some of it already.';
      await this.#model.load();
    } catch (error) {
      this.#said.textContent = wordsOf(error);
      this.#said.classList.add('shown');
    }
  }

  #toggleRaw(): void {
    this.#chosen.isRaw = !this.#chosen.isRaw;
    this.#moved();
  }

  #stepTurn(by: 1 | -1): void {
    const { turns } = this.#model;
    // With none selected: the first or the last of those in view.
    const { fromNs, toNs } = this.#timeline.view!;
    const index = turns.findIndex(turn => turn.tick === this.#chosen.turn);
    const near =
      by > 0
        ? turns.findIndex(turn => (turn.endNs ?? Infinity) > fromNs)
        : turns.findLastIndex(turn => turn.startNs < toNs);
    const next = turns[index >= 0 ? index + by : near];
    if (!next) return;
    this.#selectTurn(next.tick);
    this.#timeline.moveTo(viewOfTurn(next));
  }

  #letGo(): void {
    if (this.#chosen.frame) this.#chosen.frame = undefined;
    else this.#chosen.turn = undefined;
    this.#moved();
  }
}
