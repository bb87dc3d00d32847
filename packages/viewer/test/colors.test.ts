// Colours as the colour-blind see them: what differs in meaning differs to everybody.

import { expect, test } from 'vitest';
import { DARK, LIGHT, PARTS } from '../src/draw/palette.ts';

type Rgb = readonly [number, number, number];

/** Machado, Oliveira and Fernandes 2009, full severity, on linear RGB. */
const EYES: Readonly<Record<string, readonly number[]>> = {
  all: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  'no red': [
    0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
  ],
  'no green': [
    0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
  ],
  'no blue': [
    1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039,
  ],
};

const linear = (byte: number): number => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
};

function seen(hex: string, eye: readonly number[]): Rgb {
  const word = Number.parseInt(hex.slice(1), 16);
  const [r, g, b] = [word >> 16, (word >> 8) & 255, word & 255].map(linear) as [
    number,
    number,
    number,
  ];
  const row = (i: number): number =>
    Math.min(1, Math.max(0, eye[i]! * r + eye[i + 1]! * g + eye[i + 2]! * b));
  return [row(0), row(3), row(6)];
}

/** CIE Lab under D65. */
function lab([r, g, b]: Rgb): Rgb {
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const apart = (a: string, b: string, eye: readonly number[]): number => {
  const [p, q] = [lab(seen(a, eye)), lab(seen(b, eye))];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
};

/** A difference of 10 is seen at a glance on a line of a pixel or two. */
const APART_MIN = 10;

function tooClose(colors: readonly string[]): string[] {
  return Object.entries(EYES).flatMap(([name, eye]) =>
    colors.slice(1).flatMap((color, i) => {
      const distance = apart(colors[i]!, color, eye);
      return distance < APART_MIN ? [`${name}: ${colors[i]} ${color} ${distance.toFixed(1)}`] : [];
    }),
  );
}

for (const [theme, palette] of Object.entries({ light: LIGHT, dark: DARK })) {
  test(`${theme}: each level of lateness is told from the next by every eye`, () => {
    expect(tooClose(palette.levels.slice(1))).toEqual([]);
  });

  test(`${theme}: each share over budget is told from the next by every eye`, () => {
    expect(tooClose(palette.heat.slice(1))).toEqual([]);
  });

  test(`${theme}: the caller and the agent are told apart by every eye, and from the ground`, () => {
    expect(tooClose([palette.user, palette.agent, palette.ground, palette.user])).toEqual([]);
  });
}

test('in a ledger each part is told from the one beside it by every eye', () => {
  // In the order of a wait, as they lie beside each other when none is missing.
  const order = Object.keys(PARTS).map(name => PARTS[name]!);
  expect(order.length).toBe(20);
  expect(tooClose(order)).toEqual([]);
});
