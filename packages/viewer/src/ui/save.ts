// What a view shows as a file: PNG and SVG of canvas and overlay together, CSV of data.

/** Hands a file to the browser's downloads. */
export function save(name: string, parts: BlobPart[], type: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replaceAll(/[^\w.-]+/g, '_').slice(0, 120);
  link.click();
  // The download has its own hold on the data once it began.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Text for a cell: what a spreadsheet would run as a formula is told apart by a quote. */
function cell(value: string | number | null): string {
  const text = String(value ?? '');
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180: a head, then rows. */
export function csvOf(
  head: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  return [head, ...rows].map(row => row.map(cell).join(',')).join('\r\n');
}

export interface Layers {
  readonly canvas: HTMLCanvasElement;
  readonly svg: SVGSVGElement;
}

/** Style that an SVG loses when it leaves the page. */
const STYLES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-opacity',
  'stroke-width',
  'stroke-dasharray',
  'paint-order',
  'font-family',
  'font-size',
  'font-weight',
] as const;

/** An SVG of the page that stands alone: its style written out. `widthPx`, `heightPx` in CSS pixels. */
function copyOf(svg: SVGSVGElement, widthPx: number, heightPx: number): SVGSVGElement {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, i) => {
    const style = getComputedStyle(originals[i]!);
    for (const name of STYLES) element.setAttribute(name, style.getPropertyValue(name));
    if (style.visibility === 'hidden') element.setAttribute('visibility', 'hidden');
  });
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(widthPx));
  copy.setAttribute('height', String(heightPx));
  return copy;
}

/** The canvas as an image, the overlay above it. */
export const svgOf = (layers: Layers): string =>
  new XMLSerializer().serializeToString(layered(layers));

function layered({ canvas, svg }: Layers): SVGSVGElement {
  const { clientWidth: width, clientHeight: height } = canvas;
  const copy = copyOf(svg, width, height);
  const image = document.createElementNS(copy.namespaceURI!, 'image');
  image.setAttribute('width', String(width));
  image.setAttribute('height', String(height));
  image.setAttribute('href', canvas.toDataURL('image/png'));
  copy.prepend(image);
  copy.setAttribute('viewBox', `0 0 ${width} ${height}`);
  return copy;
}

/** A picture that is SVG alone. */
export function standalone(svg: SVGSVGElement): string {
  const { width, height } = svg.getBoundingClientRect();
  return new XMLSerializer().serializeToString(copyOf(svg, width, height));
}

const STACK_GAP_PX = 24;

/** A picture and what it shows. */
export interface Named {
  readonly name: string;
  /** Of a canvas too, its layers. */
  readonly of: SVGSVGElement | Layers;
}

/** Several pictures below each other as one SVG that stands alone, each under its name. */
export function stacked(pictures: readonly Named[]): {
  readonly svg: string;
  readonly widthPx: number;
  readonly heightPx: number;
} {
  const out = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  let [widthPx, y] = [0, 0];
  for (const { name, of } of pictures) {
    const isPlain = of instanceof SVGSVGElement;
    const { width, height } = (isPlain ? of : of.canvas).getBoundingClientRect();
    const copy = isPlain ? copyOf(of, width, height) : layered(of);
    copy.setAttribute('y', String(y + STACK_GAP_PX));
    out.append(nameOf(name, y + STACK_GAP_PX - 8), copy);
    widthPx = Math.max(widthPx, width);
    y += height + STACK_GAP_PX;
  }
  out.setAttribute('width', String(widthPx));
  out.setAttribute('height', String(y));
  out.setAttribute('viewBox', `0 0 ${widthPx} ${y}`);
  return { svg: new XMLSerializer().serializeToString(out), widthPx, heightPx: y };
}

function nameOf(text: string, y: number): SVGTextElement {
  const name = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  const { color, fontFamily } = getComputedStyle(document.body);
  const style = { x: 8, y, fill: color, 'font-family': fontFamily, 'font-size': '13px' };
  for (const [key, value] of Object.entries(style)) name.setAttribute(key, String(value));
  name.textContent = text;
  return name;
}

/** The same as pixels, twice as many as it takes on the page, on the page's ground. */
export async function pngOfSvg(svg: SVGSVGElement): Promise<Blob> {
  const { width, height } = svg.getBoundingClientRect();
  return rastered(standalone(svg), width * 2, height * 2);
}

/** The same as pixels, as many as the screen has. */
export async function pngOf(layers: Layers): Promise<Blob> {
  return rastered(svgOf(layers), layers.canvas.width, layers.canvas.height);
}

/** An SVG that stands alone as pixels. */
export async function rastered(svg: string, width: number, height: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const out = document.createElement('canvas');
  out.width = width;
  out.height = height;
  const context = out.getContext('2d')!;
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, out.width, out.height);
  context.drawImage(image, 0, 0, out.width, out.height);
  return new Promise((resolve, reject) =>
    out.toBlob(
      blob => (blob ? resolve(blob) : reject(new Error('The picture is too large for a PNG.'))),
      'image/png',
    ),
  );
}
