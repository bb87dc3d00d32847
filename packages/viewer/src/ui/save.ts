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

/** One SVG that stands alone: the canvas as an image, the overlay above with its style written out. */
export function svgOf({ canvas, svg }: Layers): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, i) => {
    const style = getComputedStyle(originals[i]!);
    for (const name of STYLES) element.setAttribute(name, style.getPropertyValue(name));
    if (style.visibility === 'hidden') element.setAttribute('visibility', 'hidden');
  });
  const { clientWidth: width, clientHeight: height } = canvas;
  const image = document.createElementNS(copy.namespaceURI!, 'image');
  image.setAttribute('width', String(width));
  image.setAttribute('height', String(height));
  image.setAttribute('href', canvas.toDataURL('image/png'));
  copy.prepend(image);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  copy.setAttribute('viewBox', `0 0 ${width} ${height}`);
  return new XMLSerializer().serializeToString(copy);
}

/** The same as pixels, as many as the screen has. */
export async function pngOf(layers: Layers): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgOf(layers))}`;
  await image.decode();
  const out = document.createElement('canvas');
  out.width = layers.canvas.width;
  out.height = layers.canvas.height;
  out.getContext('2d')!.drawImage(image, 0, 0, out.width, out.height);
  return new Promise((resolve, reject) =>
    out.toBlob(
      blob => (blob ? resolve(blob) : reject(new Error('The picture is too large for a PNG.'))),
      'image/png',
    ),
  );
}
