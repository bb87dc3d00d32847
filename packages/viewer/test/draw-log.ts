// A canvas that writes down what was painted, a line each: `rect 0 5 10 14 #5b8bd0`,
// `text "llm" 40 13 #1b2230`, `line M0 1 L2 3 #667085 dash 2 3`. A letter is six pixels wide.

export class DrawLog {
  readonly lines: string[] = [];
  fillStyle = '#000000';
  strokeStyle = '#000000';
  lineWidth = 1;
  font = '10px sans-serif';
  textAlign = 'left';
  textBaseline = 'alphabetic';
  lineJoin = 'miter';
  globalAlpha = 1;
  #path: string[] = [];
  #dash: readonly number[] = [];
  readonly #kept: Partial<DrawLog>[] = [];

  /** As what paints takes it. */
  get context(): CanvasRenderingContext2D {
    return this as unknown as CanvasRenderingContext2D;
  }

  /** Lines of one kind: `rect`, `text`, `area`, `line`. */
  of(kind: string): string[] {
    return this.lines.filter(line => line.startsWith(`${kind} `));
  }

  save(): void {
    const { fillStyle, strokeStyle, lineWidth, font, textAlign, globalAlpha } = this;
    this.#kept.push({ fillStyle, strokeStyle, lineWidth, font, textAlign, globalAlpha });
  }
  restore(): void {
    Object.assign(this, this.#kept.pop());
  }
  beginPath(): void {
    this.#path = [];
  }
  moveTo(x: number, y: number): void {
    this.#path.push(`M${at(x)} ${at(y)}`);
  }
  lineTo(x: number, y: number): void {
    this.#path.push(`L${at(x)} ${at(y)}`);
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.#path.push(`R${[x, y, width, height].map(at).join(' ')}`);
  }
  roundRect(...sizes: readonly number[]): void {
    this.#path.push(`R${sizes.slice(0, 4).map(at).join(' ')} r${at(sizes[4]!)}`);
  }
  arc(x: number, y: number, radius: number): void {
    this.#path.push(`O${[x, y, radius].map(at).join(' ')}`);
  }
  clip(): void {
    this.lines.push(`clip ${this.#path.join(' ')}`);
  }
  fill(): void {
    this.lines.push(`area ${this.#path.join(' ')} ${this.#fill()}`);
  }
  stroke(): void {
    if (this.#path.length === 0) return;
    const dash = this.#dash.length > 0 ? ` dash ${this.#dash.join(' ')}` : '';
    this.lines.push(`line ${this.#path.join(' ')} ${this.strokeStyle}${dash}`);
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    this.lines.push(`rect ${[x, y, width, height].map(at).join(' ')} ${this.#fill()}`);
  }
  strokeRect(x: number, y: number, width: number, height: number): void {
    this.lines.push(`box ${[x, y, width, height].map(at).join(' ')} ${this.strokeStyle}`);
  }
  fillText(text: string, x: number, y: number): void {
    this.lines.push(`text "${text}" ${at(x)} ${at(y)} ${this.#fill()}`);
  }
  measureText(text: string): { width: number } {
    return { width: text.length * 6 };
  }
  setLineDash(dash: readonly number[]): void {
    this.#dash = dash;
  }
  putImageData(
    image: { width: number; height: number; data: Uint8ClampedArray },
    x: number,
    y: number,
  ): void {
    this.lines.push(`pixels ${image.width} ${image.height} ${at(x)} ${at(y)}`);
  }

  #fill(): string {
    return this.globalAlpha === 1 ? this.fillStyle : `${this.fillStyle} α${this.globalAlpha}`;
  }
}

const at = (value: number): string => String(Math.round(value * 10) / 10);
