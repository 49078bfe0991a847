// A second reader of did:kith logs, written from docs/wire-formats.md (Logs), the log protocol and
// the comments of ledger/*.hpp alone, with Node.js and nothing else: what two readers make of the
// same histories is what the text says, not what one program happens to do.
//
//   node log_reader.mjs HISTORY...     one line of JSON for each file of tests/ledger/histories
//
// Here are the rules between entries; log_entry.mjs reads one entry, log_states.mjs its state. Left
// out here alone: that an Ed25519 key is a point of the prime-order subgroup.

import {readFileSync} from 'node:fs';
import {canonical, digest, isSignedBy, Junk, must, parseEntry, same, signedBy}
  from './log_entry.mjs';
import {checkState, checkUpdate} from './log_states.mjs';

const DAY = 86_400;  // Seconds, like D and C; anchor times are milliseconds.
const BACK_OFF_MS = 14 * DAY * 1000, LAG_MS = 7 * DAY * 1000, CONTEST_BASE = 21 * DAY;
const TIME_MAX_MS = 253_402_300_799_000;
const LOG_MAX = 4096, LISTED_MAX = 64, MOVES_MAX = 16, STAGES_MAX = 32;

// Rules between entries (3, 5 to 9); `before` is the content that counts at prev

const announced = ({next}) => (key) => next.kd.includes(digest(key));
const revealDigest = ({reveal: {k, salt, t}}) => digest(canonical({k, salt, t}));

function checkNewContent(entry, test) {
  const {delay, contest} = entry.rec;
  must(test || (delay > 0 && contest >= 2 * delay + CONTEST_BASE), 'windows');
  must(!entry.keys.k.some(announced(entry)), 'a next key is known');
  checkState(entry);
}
function checkGenesis(entry, subject) {
  must(entry.op === 'genesis' && entry.id === subject && !entry.text.includes('{SCID}'), 'genesis');
  const scid = entry.id.slice(9);
  must(digest(entry.text.replaceAll(scid, '{SCID}')) === scid, 'SCID');
  signedBy(entry, entry.keys.t, (key) => entry.keys.k.includes(key));
  checkNewContent(entry, entry.test);
}
function checkMove(before, entry, active) {
  for (const name of ['keys', 'next', 'rec', 'state']) must(same(entry[name], before[name]), name);
  must(before.ledgers.includes(entry.from), 'the log does not live there');
  must(entry.ledgers.length > 0 && !entry.ledgers.includes(entry.from), 'it goes nowhere');
  signedBy(entry, before.keys.t, active);
}
function checkNext(before, entry, test) {
  const active = (key) => before.keys.k.includes(key);
  if (entry.op === 'deactivate') return signedBy(entry, before.keys.t, active);
  if (entry.op === 'move') return checkMove(before, entry, active);
  must(same(entry.ledgers, before.ledgers), 'ledgers');
  if (entry.op === 'rotate') {
    must(entry.keys.k.every(announced(before)), 'a new key was not announced');
    const t = Math.max(before.next.t, entry.keys.t);
    signedBy(entry, t, (key) => entry.keys.k.includes(key));
    return checkNewContent(entry, test);
  }
  for (const name of ['keys', 'next', 'rec']) must(same(entry[name], before[name]), name);
  checkState(entry);
  return checkUpdate(before, entry);
}
/** True for the super-quorum's. */
function checkRecover(fork, entry, test) {
  const revealed = revealDigest(entry);
  const high = revealed === fork.rec.hi;
  must(high || revealed === fork.rec.d, 'another recovery set');
  must(entry.rec.d !== fork.rec.d, 'authority is kept');
  must(![entry.rec.d, entry.rec.hi].includes(revealed), 'what was revealed is used again');
  signedBy(entry, entry.reveal.t, (key) => entry.reveal.k.includes(key));
  checkNewContent(entry, test);
  return high;
}
function checkVeto(fork, entry, high) {
  const inSet = (key) => high && entry.reveal.k.includes(key);
  must(high === (entry.reveal !== undefined), 'reveal');
  must(!high || revealDigest(entry) === fork.rec.d, 'another recovery set');
  const may = (key) => announced(fork)(key) || inSet(key);
  signedBy(entry, fork.next.t, may, announced(fork));
  if (high) signedBy(entry, entry.reveal.t, may, inSet);
}

// The log (section 4). A record is an entry that counted: {entry, position, anchored, from, until}

class Log {
  constructor(subject, testMode) {
    Object.assign(this, {subject, testMode, history: [], pending: null, waits: null, restUntil: 0});
    Object.assign(this, {replaced: [], vetoed: [], evidence: [], junk: new Set()});
    this.seen = new Set();     // Also what was replaced: nothing counts a second time.
    this.counted = new Set();  // Positions.
  }
  /** What follows is on this ledger, with its own clock; undefined: nobody says which. */
  enter(ledger) {
    Object.assign(this, {ledger, base: this.history.length, home: this.history.length > 0});
    this.earlier = new Set(this.seen);
  }
  get left() {
    return this.home && this.ledger !== undefined && !this.ledgers.includes(this.ledger);
  }
  /** Those on which the log lives. */
  get ledgers() {
    return this.history.findLast(({entry}) => entry.ledgers).entry.ledgers;
  }
  arrive({entry, position, shown}, time) {
    if (this.counted.has(position) || this.earlier.has(entry?.hash)) return;
    try {
      must(entry, 'form');
      this.take(entry, position, time, Math.min(Math.max(shown, time), TIME_MAX_MS));
      this.counted.add(position);
      this.junk.delete(position);
    } catch (error) {
      if (!(error instanceof Junk)) throw error;
      this.junk.add(position);
    }
  }
  push(record) {
    this.history.push(record);
    this.home ||= this.ledgers.includes(this.ledger);
  }
  genesis(entry, position, time) {
    checkGenesis(entry, this.subject);
    this.refused = entry.test && !this.testMode;
    must(!this.refused, 'a test log');
    Object.assign(this, {kind: entry.kind, id: entry.id, test: entry.test ?? false});
    this.push({entry, position, anchored: time, from: time, until: Infinity});
  }
  get head() { return this.history.at(-1); }
  /** The content after entry `n`; a deactivate carries none, and nothing continues it. */
  content(n) {
    must(this.history[n]?.entry.op !== 'deactivate', 'the log has ended');
    return this.history[n].entry;
  }
  /** D or C in milliseconds after entry `n`: a longer one of before counts until it has run. */
  window(name, n, time) {
    const own = (record) => record.entry.rec[name] * 1000;
    return Math.max(own(this.history[n]), ...this.history.slice(0, n).filter(
        (record, i) => time < this.history[i + 1].from + own(record)).map(own));
  }
  /** A recover that nobody cancelled takes effect. */
  settle(time) {
    if (!this.pending || time < this.pending.from) return;
    const after = this.history.splice(this.pending.entry.n);
    this.replaced.push(...after.map(({position}) => position));
    const effective = this.pending;
    this.pending = null;
    this.push(effective);
  }
  /** Judged by `time`; its ledger anchored it when it was `shown`. */
  take(entry, position, time, shown) {
    if (this.history.length === 0) {
      this.genesis(entry, position, time);
      return this.seen.add(entry.hash);
    }
    must(entry.kind === this.kind && entry.id === this.id && entry.op !== 'genesis', 'chain');
    must(!this.seen.has(entry.hash), 'it came before');
    if (entry.op === 'veto') this.veto(entry, position, time);
    else if (entry.op === 'recover') this.recover(entry, position, time, shown);
    else this.next(entry, position, time);
    this.seen.add(entry.hash);
  }
  /** What entry `n` counts on: the content before it, if prev names that. */
  parent(entry) {
    must(this.history[entry.n - 1]?.entry.hash === entry.prev, 'chain');
    return this.content(entry.n - 1);
  }
  next(entry, position, time) {
    const {op, n} = entry;
    checkNext(this.parent(entry), entry, this.test);
    const rival = this.history[n]?.entry;
    if (rival && rival.op !== 'recover' && this.kind !== 'pair') {
      this.evidence.push(position);
      this.seen.add(entry.hash);
    }
    must(!rival && (n < LOG_MAX || op === 'deactivate'), 'a second one, or too many');
    must(!this.left, 'the log goes on elsewhere');
    if (op === 'move') {
      must(this.ledger === undefined || this.ledger === entry.from, 'on another ledger');
      const moves = this.history.filter((record) => record.entry.op === 'move');
      must(moves.length < MOVES_MAX, 'too many moves');
    }
    const until = op === 'update' ? Infinity : time + this.window('contest', n - 1, time);
    this.push({entry, position, anchored: time, from: time, until});
  }
  recover(entry, position, time, shown) {
    must(entry.n >= this.base, 'the old ledger says that');
    must(!this.left || entry.n < this.history.length, 'the log goes on elsewhere');
    const high = checkRecover(this.parent(entry), entry, this.test);
    must(!this.pending || (high && !this.pending.high), 'the place is taken');
    must(high || time >= this.restUntil, 'rest after a veto');
    for (const {entry: {op}, until, high: byHigh} of this.history.slice(entry.n)) {
      must(time <= until && (op !== 'recover' || (high && !byHigh)), 'C is over');
    }
    if (this.pending) this.replaced.push(this.pending.position);
    const from = shown + this.window('delay', entry.n - 1, shown);
    const until = from + this.window('contest', entry.n - 1, from);
    this.pending = {entry, position, anchored: time, from, until, high};
  }
  veto(entry, position, time) {
    const {entry: recover, high, position: vetoed} = this.pending ?? {entry: {}};
    must(entry.ref === recover.hash && entry.prev === entry.ref, 'not the pending recover');
    must(entry.n === recover.n + 1, 'chain');
    checkVeto(this.content(recover.n - 1), entry, high);
    this.vetoed.push(vetoed);
    if (!high) this.restUntil = time + BACK_OFF_MS;
    this.pending = null;
  }
  get status() {
    if (this.pending) return this.pending.entry.n < this.history.length ? 'contested' : 'pending';
    return this.head.entry.op === 'deactivate' ? 'deactivated' : 'normal';
  }
}

/** When w of the witnesses of `ledger` saw the blob, if that is in place of the time it has. */
function witnessedTime({entry, time, anchored, witnessed = []}, text, subject, ledger) {
  if (!['recover', 'veto'].includes(entry?.op) || !ledger?.w) return Infinity;
  const saw = ({k, time: seconds, s}) => isSignedBy(
    k, `kith-witness-time/v1\n${subject}\n${digest(text)}\n${seconds}\n`, s);
  const said = (witness) => witnessed.filter((one) => one.k === witness && saw(one));
  const times = ledger.witnesses.map((one) => Math.min(...said(one).map((word) => word.time)));
  const seen = times.sort((one, other) => one - other)[ledger.w - 1] * 1000;
  return time <= seen + LAG_MS && (seen < time || !anchored) ? seen : Infinity;
}
/** Recovers on other ledgers that take the log there, and what vetoes them there. */
function leaving(blobs, home) {
  const others = blobs.filter(({ledger, entry}) => ledger !== home && entry);
  const recovers = home === undefined ? [] : others.filter(({ledger, entry: {op, ledgers}}) =>
    op === 'recover' && ledgers[0] === ledger && !ledgers.includes(home));
  const vetoes = others.filter(({ledger, entry: {op, ref}}) => op === 'veto' &&
    recovers.some((one) => one.ledger === ledger && one.entry.hash === ref));
  return [...recovers, ...vetoes];
}
/** What is judged by the time of `ledger` elsewhere than in its order; by time. */
function aside(blobs, ledger) {
  const others = leaving(blobs, ledger);
  const seen = [...others, ...blobs.filter((one) => one.ledger === ledger)]
    .map((blob) => ({...blob, time: blob.witnessedBy(ledger)}));
  const all = [...others.filter(({anchored}) => anchored),
               ...seen.filter(({time}) => time < Infinity)];
  const isVeto = ({entry}) => entry.op === 'veto';
  return all.sort((one, other) => one.time - other.time || isVeto(one) - isVeto(other) ||
                                  one.position - other.position);
}
function readStage(log, blobs, ledger, now) {
  log.enter(ledger);
  const others = aside(blobs, ledger);
  let time = 0;
  const arrive = (blob) => {
    time = Math.max(time, Math.min(blob.time, TIME_MAX_MS));
    log.settle(time);
    log.arrive(blob, time);
  };
  for (const blob of blobs.filter((one) => one.ledger === ledger && one.anchored)) {
    while (others[0]?.time < Math.max(time, blob.time)) arrive(others.shift());
    arrive(blob);
  }
  others.forEach(arrive);
  log.settle(Math.max(time, now));
  log.waits ??= log.pending;
  log.pending = null;
}
function readLog({subject, blobs: told, now_ms: now, test_mode: testMode, ledgers = []}) {
  const nothing = {n: 0, junk: [], replaced: [], vetoed: [], evidence: []};
  const parsed = (blob) => {
    try {
      return parseEntry(blob);
    } catch (error) {
      if (!(error instanceof Junk)) throw error;
      return null;
    }
  };
  const descriptors = new Map(ledgers.map((one) => [`ledger:${digest(canonical(one))}`, one]));
  const blobs = told.map(({blob: text, time_ms, seen_ms, ledger, witnessed}, position) => {
    const anchored = time_ms !== undefined;
    const shown = time_ms ?? seen_ms;
    const blob = {entry: parsed(text), time: shown, shown, ledger, position, anchored, witnessed};
    blob.witnessedBy = (home) => witnessedTime(blob, text, subject, descriptors.get(home));
    return blob;
  });
  const log = new Log(subject, testMode);
  const read = [];
  for (let next = blobs[0]?.ledger; read.length < STAGES_MAX;) {
    readStage(log, blobs, next, now);
    read.push(next);
    if (log.refused) return {...nothing, status: 'refused'};
    if (log.history.length === 0) return {...nothing, status: 'not_found'};
    if (!log.left || !blobs.some(({ledger}) => ledger === log.ledgers[0])) break;
    next = log.ledgers[0];
  }
  for (const {ledger, position, anchored} of blobs) {
    const told = anchored && read.includes(ledger);
    if (!told && !log.counted.has(position)) log.junk.add(position);
  }
  log.pending = log.waits;
  const {status, head, replaced, vetoed, evidence, junk} = log;
  const listed = (positions) => positions.slice(0, LISTED_MAX);
  return {status, n: head.entry.n, replaced, vetoed, evidence: listed(evidence),
          junk: listed([...junk].sort((one, other) => one - other))};
}

for (const file of process.argv.slice(2)) {
  console.log(JSON.stringify(readLog(JSON.parse(readFileSync(file, 'utf8')))));
}
