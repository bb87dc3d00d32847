// Elements from data. Text goes in as text, never as HTML: what came from
// telemetry is hostile until shown.

export type Child = Node | string | undefined | false;

export interface Props {
  readonly class?: string | undefined;
  readonly onclick?: (event: MouseEvent) => void;
  readonly [attribute: string]: unknown;
}

function apply(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on') && typeof value === 'function')
      element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** An HTML element with attributes, `on…` listeners and children; strings become text nodes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  apply(element, props);
  append(element, children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** The same for SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly (Child | readonly Child[])[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  apply(element, props);
  append(element, children);
  return element;
}

function append(parent: Element, children: readonly (Child | readonly Child[])[]): void {
  for (const child of children.flat())
    if (child !== undefined && child !== false) parent.append(child as Node | string);
}

/** Replaces what is in `parent`. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter(child => child !== undefined && child !== false));
}

/** Control characters, and bidirectional overrides that could make a name read as another. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}]/gu;

/** At most `lengthMax` characters, unseen ones made visible as spaces. */
export function cut(text: string, lengthMax: number = 120): string {
  const clean = text.replaceAll(UNSEEN, ' ');
  return clean.length > lengthMax ? `${clean.slice(0, lengthMax - 1)}…` : clean;
}
