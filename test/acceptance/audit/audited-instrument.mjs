// The real instrumentation, with a second book kept beside it: what was marked,
// which turns were begun, and what the collector said it has stored.
//
//   <folder>/<pid>.acks   a record ID a line, on the disk before anything else happens with it
//   <folder>/<pid>.marks  "mark,session,stream.role/hop,startTick,samples" and "turn,session,tick"
//
// The folder comes in FRAMESCOPE_AUDIT.

import { fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Framescope as Real, Hop, Session, Stream } from '@framescope/instrument';

export * from '@framescope/instrument';

const WRITE_EVERY_MS = 200;

const folder = process.env['FRAMESCOPE_AUDIT'];
if (folder === undefined) throw new Error('FRAMESCOPE_AUDIT names no folder');
/** @param {string} kind */
const open = kind => openSync(join(folder, `${process.pid}.${kind}`), 'a');
const acks = open('acks');
const marks = open('marks');

/** @type {string[]} */
let lines = [];

function writeLines() {
  if (lines.length > 0) writeSync(marks, `${lines.join('\n')}\n`);
  lines = [];
}

setInterval(writeLines, WRITE_EVERY_MS).unref();
process.on('exit', writeLines);

/** Takes the place of the real class for those who import it by name. */
export class Framescope extends Real {
  /** @param {import('@framescope/instrument').FramescopeOptions} options */
  constructor(options) {
    super({
      ...options,
      onAcknowledged: ids => {
        writeSync(acks, `${ids.join('\n')}\n`);
        fsyncSync(acks);
      },
    });
  }
}

/** @type {WeakMap<Stream, Session>} */
const sessionOf = new WeakMap();
/** @type {WeakMap<Hop, Stream>} */
const streamOf = new WeakMap();

const { stream, startTurn, greeting } = Session.prototype;
const { hop } = Stream.prototype;
const { mark, markAt } = Hop.prototype;

Session.prototype.stream = function (name, options) {
  const made = stream.call(this, name, options);
  sessionOf.set(made, this);
  return made;
};

Session.prototype.startTurn = function (start) {
  return began(this, startTurn.call(this, start));
};

Session.prototype.greeting = function (options) {
  return began(this, greeting.call(this, options));
};

Stream.prototype.hop = function (name, options) {
  const made = hop.call(this, name, options);
  streamOf.set(made, this);
  return made;
};

Hop.prototype.mark = function (samples) {
  note(this, this.nextTick, samples);
  mark.call(this, samples);
};

Hop.prototype.markAt = function (startTick, samples) {
  note(this, startTick, samples);
  markAt.call(this, startTick, samples);
};

/**
 * @param {Session} session
 * @param {import('@framescope/instrument').Turn} turn
 */
function began(session, turn) {
  lines.push(`turn,${session.id},${turn.tick}`);
  return turn;
}

/**
 * @param {Hop} marked
 * @param {number} startTick
 * @param {number} samples
 */
function note(marked, startTick, samples) {
  const on = streamOf.get(marked);
  const session = on && sessionOf.get(on);
  // A session that has ended refuses marks, and says so.
  if (on === undefined || session === undefined || session.isEnded) return;
  const { role, name, nth } = marked.name;
  const key = `${on.name}.${role}/${name}${nth > 0 ? `#${nth + 1}` : ''}`;
  lines.push(`mark,${session.id},${key},${startTick},${samples}`);
}
