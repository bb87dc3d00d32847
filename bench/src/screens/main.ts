// `npm run screens -- [page…] [--state NAME,NAME] [--from SHEET] [--out DIR] [--data DIR]`
//
// Every page in five sizes, both themes and each of its states, on a real
// collector. A sheet a page and state goes to docs/screens as WebP; with `--out`
// the single pictures are kept as PNG in a folder of yours; `--from tail-huge` leaves out the sheets
// before that one (all take a quarter of an hour of both cores); `--data`
// begins with a copy of a folder that has a simulated day already (it must not be in use).

import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sessionKey, type SessionDetail } from '@framescope/protocol';
import { chromium, type Browser } from 'playwright-core';
import { BenchCollector } from '../ingest/processes.ts';
import { chromiumPath } from '../viewer/chromium.ts';
import { until } from '../viewer/fill.ts';
import { LiveCalls } from '../viewer/live-calls.ts';
import { fillForScreens } from './fill.ts';
import { Gate } from './gate.ts';
import { LIVE_ID, nameOf, shotsOf, type Shot } from './pages.ts';
import { sheet, shoot, THEMES, type Picture } from './shoot.ts';

const SHEETS = fileURLToPath(new URL('../../../docs/screens/', import.meta.url));

/** Of this one the README shows a picture by itself. */
const README_SHEET = 'session-full';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: 'string' },
    from: { type: 'string' },
    out: { type: 'string' },
    data: { type: 'string' },
  },
});

const full = await new BenchCollector([], values.data && copied(values.data)).ready();
const empty = await new BenchCollector().ready();
const calls = new LiveCalls(full.url, 3, LIVE_ID);
const gate = await new Gate(full.url).open();
const browser = await chromium.launch({
  executablePath: await chromiumPath(),
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const known = await fillForScreens(full.url, { hasDay: values.data !== undefined });
  const shots = shotsOf(known).filter(
    shot =>
      (positionals.length === 0 || positionals.includes(shot.page)) &&
      (values.state === undefined || values.state.split(',').includes(shot.state)),
  );
  const first = shots.findIndex(shot => nameOf(shot) === values.from);
  if (values.from !== undefined && first === -1)
    throw new Error(`--from ${values.from}: there is no such sheet among those asked for`);
  for (const shot of shots.slice(Math.max(0, first))) {
    // One that could not be taken is said, and the others are taken all the same.
    await picture(shot).catch((problem: unknown) => {
      console.error(`${nameOf(shot)}: ${String(problem).split('\n')[0]}`);
      process.exitCode = 1;
    });
  }
} finally {
  await browser.close();
  gate.close();
  for (const collector of [full, empty]) {
    await collector.stop();
    collector.remove();
  }
}

function copied(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'framescope-screens-'));
  cpSync(folder, copy, { recursive: true });
  return copy;
}

async function picture(shot: Shot): Promise<void> {
  gate.target = shot.state === 'empty' ? empty.url : full.url;
  const live = shot.state === 'live' ? await goOn() : undefined;
  const pictures: Picture[] = [];
  for (const theme of THEMES) pictures.push(...(await shoot({ browser, gate, shot, theme })));
  await live?.();
  await keep(browser, shot, pictures);
}

/** Three calls that talk until told to stop; begun once the collector has noticed. */
async function goOn(): Promise<() => Promise<void>> {
  let isOn = true;
  const ended = (async () => {
    while (isOn) await calls.run(1);
  })();
  const url = `${full.url}/api/v1/sessions/${sessionKey(LIVE_ID)}`;
  await until<SessionDetail>(url, one => one.status === 'live');
  return () => {
    isOn = false;
    return ended;
  };
}

async function keep(from: Browser, shot: Shot, pictures: readonly Picture[]): Promise<void> {
  const name = nameOf(shot);
  mkdirSync(SHEETS, { recursive: true });
  const bytes = await sheet(from, pictures);
  writeFileSync(`${SHEETS}${name}.webp`, bytes);
  console.log(`${name}.webp ${Math.round(bytes.length / 1000)} kB`);
  const readme = pictures.find(
    one => name === README_SHEET && one.size.name === 'wide' && one.theme === 'light',
  );
  if (readme) writeFileSync(`${SHEETS}turn-light.png`, readme.png);
  if (values.out === undefined) return;
  mkdirSync(values.out, { recursive: true });
  for (const { size, theme, png } of pictures)
    writeFileSync(`${values.out}/${name}-${size.name}-${theme}.png`, png);
}
