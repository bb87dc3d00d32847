// The frame timeline, painted: chooses timetable or density by how much time is
// in view, lays out, draws, and tells what is under the pointer.

import { drawDensity } from '../../draw/density.ts';
import { drawLineage } from '../../draw/lineage.ts';
import { palette, partColor, type Palette } from '../../draw/palette.ts';
import type { PaintArea } from '../../draw/surface.ts';
import { drawChosen, drawTints, drawTrain, type TrainPaint } from '../../draw/train.ts';
import {
  drawLedgers,
  drawSpeech,
  drawStages,
  drawWaits,
  type TurnPaint,
} from '../../draw/turns.ts';
import { layoutDensity, makeDensity } from '../../layout/density.ts';
import { isAhead, layoutLanes, type Lanes } from '../../layout/lanes.ts';
import { layoutLineage } from '../../layout/lineage.ts';
import { layoutTints, speechTicks, type SpeechInput, type Stretch } from '../../layout/speech.ts';
import { nsPerPx, timeTicks, toX, type TimeScale } from '../../layout/time-scale.ts';
import {
  chooseFrame,
  frameAt,
  layoutTrain,
  makeTrain,
  nextLate,
  type ChosenFrame,
  type TrainInput,
} from '../../layout/train.ts';
import {
  layoutLedgers,
  layoutSpeech,
  layoutStages,
  stageRows,
  type LedgerBox,
  type SpeechBox,
} from '../../layout/turns.ts';
import type { SessionModel } from '../../state/session-model.ts';
import type { Viewport } from '../../state/viewport.ts';
import { cut } from '../../ui/dom.ts';
import { duration, kilohertz, ms, words } from '../../ui/format.ts';

/** Up to 25 ms a pixel frames are lines: a 20 ms frame is then about a pixel wide. */
const TRAIN_NS_PER_PX = 25e6;
/** No more than 12 tiles of 4 s at a time, however wide the screen. */
const TRAIN_NS_MAX = 48e9;

export interface PictureView {
  readonly view: Viewport;
  readonly isRaw: boolean;
  readonly turnTick: number | undefined;
  /** The chosen frame, else the one under the pointer. */
  readonly frame: { readonly stream: string; readonly tick: number } | undefined;
  readonly nowNs: number;
}

export const STAGE_PARTS: Readonly<Record<string, string>> = {
  endpointing: 'endpointing',
  stt: 'transcription',
  llm: 'inference',
  tool: 'tool',
  tts: 'synthesis',
};

export class Picture {
  lanes: Lanes | undefined;
  scale: TimeScale | undefined;
  isTrain = false;
  chosen: ChosenFrame | undefined;
  readonly #model: SessionModel;
  readonly #train = makeTrain();
  readonly #density = makeDensity();
  #lanesOf:
    | { detail: unknown; turns: unknown; readonly heightPx: number; readonly isFar: boolean }
    | undefined;
  #input: TrainInput | undefined;
  #ledgers: readonly LedgerBox[] = [];
  #speech: readonly SpeechBox[] = [];

  constructor(model: SessionModel) {
    this.#model = model;
  }

  /** True when the last picture had all the data that it asked for. */
  get isWhole(): boolean {
    const { tiles, timeline, isTimelineDue } = this.#model;
    if (this.lanes?.stations.length === 0) return true;
    return this.isTrain ? !tiles.isLoading : timeline !== undefined && !isTimelineDue;
  }

  static gutterPx(widthPx: number): number {
    return widthPx < 620 ? 92 : 176;
  }

  /** Decides heights; called before painting so that the page can be as tall as its lanes. */
  layout(heightPx: number, view: Viewport, widthPx: number): Lanes | undefined {
    const { detail, turns } = this.#model;
    if (!detail) return undefined;
    const spanNs = view.toNs - view.fromNs;
    this.isTrain =
      spanNs / Math.max(40, widthPx - Picture.gutterPx(widthPx) - 12) <= TRAIN_NS_PER_PX &&
      spanNs <= TRAIN_NS_MAX;
    // The same lanes as long as nothing about them changed: their names are then not drawn anew.
    const held = this.#lanesOf;
    const isFar = !this.isTrain;
    const isSame =
      held?.detail === detail &&
      held.turns === turns &&
      held.heightPx === heightPx &&
      held.isFar === isFar;
    if (isSame && this.lanes) return this.lanes;
    this.#lanesOf = { detail, turns, heightPx, isFar };
    this.lanes = layoutLanes(detail, heightPx, { stageRows: stageRows(turns).size, isFar });
    return this.lanes;
  }

  paint(context: CanvasRenderingContext2D, area: PaintArea, shown: PictureView): void {
    const colors = palette();
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, area.widthPx, area.heightPx);
    const lanes = this.lanes;
    if (!lanes || !this.#model.detail) return;
    const leftPx = Picture.gutterPx(area.widthPx);
    const scale: TimeScale = {
      ...shown.view,
      leftPx,
      widthPx: Math.max(40, area.widthPx - leftPx - 12),
    };
    this.scale = scale;
    context.save();
    context.beginPath();
    context.rect(leftPx, 0, scale.widthPx, area.heightPx);
    context.clip();
    this.#paintGrid(context, colors, area.heightPx);
    if (this.isTrain)
      this.#paintTrain({ context, lanes, palette: colors, hairPx: area.hairPx }, shown);
    else this.#paintDensity(context, colors, { ...shown, ratio: 1 / area.hairPx });
    this.#paintTurns(
      {
        context,
        lanes,
        palette: colors,
        leftPx,
        widthPx: scale.widthPx,
        selectedTick: shown.turnTick,
      },
      shown,
    );
    this.#paintLineage(context, colors, shown.isRaw);
    if (this.isTrain && this.chosen)
      this.#paintChosen({ context, lanes, palette: colors, hairPx: area.hairPx }, this.chosen);
    context.restore();
  }

  #paintGrid(context: CanvasRenderingContext2D, colors: Palette, heightPx: number): void {
    context.fillStyle = colors.grid;
    for (const at of timeTicks(this.scale!, 100).ticks)
      context.fillRect(Math.round(toX(this.scale!, at)), this.lanes!.axisPx, 1, heightPx);
    if (!this.isTrain) return;
    context.fillStyle = colors.station;
    for (const station of this.lanes!.stations)
      context.fillRect(this.scale!.leftPx, Math.round(station.y), this.scale!.widthPx, 1);
  }

  #paintTrain(paint: TrainPaint, shown: PictureView): void {
    const { view } = shown;
    // A frame that left before the view may arrive in it, and a burst lies seconds ahead of its sound.
    // Raw clocks may be seconds off: what belongs into the view then lies far outside of it.
    const margin = shown.isRaw ? 6e9 : Math.min(4e9, (view.toNs - view.fromNs) * 0.25 + 5e8);
    if (paint.lanes.stations.length === 0) return;
    this.#model.tiles.want(
      Math.max(0, view.fromNs - margin),
      Math.min(view.toNs + margin, Math.max(shown.nowNs, 1)),
    );
    const rows = this.#model.tiles.rows(view.fromNs - margin, view.toNs + margin);
    const base = { lanes: paint.lanes, rows, scale: this.scale!, isRaw: shown.isRaw };
    const inView = (one: Stretch | null): Stretch[] =>
      one && one.endNs > view.fromNs - margin && one.startNs < view.toNs + margin ? [one] : [];
    const heard: SpeechInput = {
      ...base,
      user: this.#model.turns.flatMap(turn => inView(turn.user)),
      agent: this.#model.turns.flatMap(turn => inView(turn.agent)),
    };
    const speech = speechTicks(heard);
    this.#input = { ...base, speech };
    layoutTrain(this.#input, this.#train);
    drawTints(paint, layoutTints(heard, speech));
    drawTrain(paint, this.#train);
    this.chosen = shown.frame
      ? chooseFrame(this.#input, shown.frame.stream, shown.frame.tick)
      : undefined;
  }

  #paintChosen(paint: TrainPaint, chosen: ChosenFrame): void {
    const perPx = nsPerPx(this.scale!);
    const last = chosen.points.at(-1)!;
    const first = chosen.points[0]!;
    const total =
      chosen.points.length === 1 ? duration(last.latencyNs) : duration(last.atNs - first.atNs);
    drawChosen(paint, chosen, {
      legs: chosen.points.map(point => (point.legNs === undefined ? '' : duration(point.legNs))),
      total: `${cut(chosen.stream, 20)} ${chosen.tick + 1}: ${total}${chosen.isLost ? ', then lost' : ''}`,
      errorPx: chosen.points.map(point => point.errorNs / perPx),
    });
  }

  #paintDensity(
    context: CanvasRenderingContext2D,
    colors: Palette,
    shown: PictureView & { readonly ratio: number },
  ): void {
    this.#input = undefined;
    this.chosen = undefined;
    if (this.lanes!.stations.length === 0) return;
    this.#model.wantTimeline(shown.view, this.scale!.widthPx);
    const { timeline } = this.#model;
    const { stations } = this.lanes!;
    stations.forEach((station, i) => {
      const hop = timeline?.hops.find(one => one.key === station.key);
      const next = stations[i + 1];
      const gapPx = next && next.stream === station.stream ? next.y - station.y : 28;
      const heightPx = Math.max(8, Math.min(40, gapPx - 6));
      if (!hop || !timeline) {
        // Not here yet: the lane is there all the same.
        context.fillStyle = colors.lane;
        context.fillRect(
          this.scale!.leftPx,
          station.y - heightPx / 2,
          this.scale!.widthPx,
          heightPx,
        );
        return;
      }
      layoutDensity(
        { ...hop, fromNs: timeline.fromNs, bucketNs: timeline.bucketNs },
        this.scale!,
        this.#density,
      );
      const budgetNs = station.budgetNs ?? Math.max(50e6, (station.p95Ns ?? 50e6) * 2);
      drawDensity(context, this.#density, {
        leftPx: this.scale!.leftPx,
        topPx: station.y - heightPx / 2,
        heightPx,
        budgetNs,
        ratio: shown.ratio,
        // Behind a synthesiser the height is how long audio waits ahead of its time: no lateness.
        palette: isAhead(stations, station)
          ? { ...colors, heat: colors.heat.map((heat, i) => (i === 0 ? colors.fan : heat)) }
          : colors,
      });
    });
  }

  #paintTurns(paint: TurnPaint, shown: PictureView): void {
    const { turns } = this.#model;
    this.#speech = layoutSpeech(turns, this.scale!);
    this.#ledgers = layoutLedgers(turns, this.scale!, shown.nowNs);
    drawSpeech(paint, this.#speech, speechText);
    const budgetNs = this.#model.limitNs('voice_to_voice');
    const isFar = this.#ledgers.length > 0 && this.#ledgers.every(box => box.right - box.left < 14);
    if (isFar) drawWaits(paint, this.#ledgers, budgetNs);
    else
      drawLedgers(paint, this.#ledgers, {
        name: words,
        number: ms,
        total: box =>
          `${box.wait.outcome === 'open' || box.wait.endNs === null ? '≥ ' : ''}${duration(box.wait.waitNs)}`,
      });
    if (this.isTrain)
      drawStages(paint, layoutStages(turns, this.scale!, stageRows(turns), shown.nowNs), name =>
        partColor(STAGE_PARTS[name] ?? name),
      );
  }

  #paintLineage(context: CanvasRenderingContext2D, colors: Palette, isRaw: boolean): void {
    const { streams } = this.#model.detail!;
    if (streams.every(stream => stream.lineage === undefined)) return;
    const lanes = this.lanes!;
    const boxes = layoutLineage({ streams, lanes, rows: this.rows, scale: this.scale!, isRaw });
    const texts = { rate: kilohertz, words: (text: string): string => cut(text, 160) };
    drawLineage({ context, lanes, palette: colors }, boxes, texts);
  }

  /** Frames that the last picture was laid out from; none from far. */
  get rows(): TrainInput['rows'] | undefined {
    return this.#input?.rows;
  }

  frameAt(x: number, y: number): { stream: string; tick: number } | undefined {
    return this.#input ? frameAt(this.#input, this.#train, { x, y }) : undefined;
  }

  nextLate(
    afterNs: number,
    step: 1 | -1,
  ): { stream: string; tick: number; atNs: number } | undefined {
    return this.#input ? nextLate(this.#input, afterNs, step) : undefined;
  }

  /** Tick of the turn whose bar or ledger is at a point. */
  turnAt(x: number, y: number): number | undefined {
    const lanes = this.lanes;
    if (!lanes) return undefined;
    const inBand = (band: { top: number; height: number }): boolean =>
      y >= band.top - 4 && y <= band.top + band.height + 4;
    const holds = (box: { left: number; right: number }): boolean =>
      x >= box.left - 3 && x <= Math.max(box.right, box.left + 4) + 3;
    if (inBand(lanes.ledger)) return this.#ledgers.find(holds)?.turn.tick;
    const who = inBand(lanes.user) ? 'user' : inBand(lanes.agent) ? 'agent' : undefined;
    return this.#speech.find(box => box.who === who && holds(box))?.turn.tick;
  }
}

function speechText(box: SpeechBox): string {
  const said = box.turn.words
    .filter(one => one.who === box.who)
    .map(one => one.text)
    .join(' ');
  return `${box.number}  ${cut(said, 160)}`;
}
