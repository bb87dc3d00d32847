// The worst frames of a minute as text: values fall, so each is told by how much it is below
// the one before, with its tick behind it. A third shorter than pairs of values, which rows
// of earlier versions hold and are still read.
//
//   [41200000,319680, 120000,48000, …]      values in ns, ticks

interface Worst {
  readonly valueNs: number;
  readonly ref: number;
}

export function worstText(worst: readonly Worst[]): string {
  const numbers: number[] = [];
  let before = 0;
  for (const [i, { valueNs, ref }] of worst.entries()) {
    numbers.push(i === 0 ? valueNs : before - valueNs, ref);
    before = valueNs;
  }
  return JSON.stringify(numbers);
}

export function worstOf(text: string): Worst[] {
  const numbers = JSON.parse(text) as number[] | [number, number][];
  if (isPairs(numbers)) return numbers.map(([valueNs, ref]) => ({ valueNs, ref }));
  const worst: Worst[] = [];
  let valueNs = 0;
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    valueNs = i === 0 ? numbers[0]! : valueNs - numbers[i]!;
    worst.push({ valueNs, ref: numbers[i + 1]! });
  }
  return worst;
}

const isPairs = (numbers: number[] | [number, number][]): numbers is [number, number][] =>
  Array.isArray(numbers[0]);
