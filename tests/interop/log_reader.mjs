// A second reader of did:kith logs, written from docs/wire-formats.md (Logs), the log protocol and
// the comments of ledger/*.hpp alone, with Node.js and nothing else: what two readers make of the
// same histories is what the text says, not what one program happens to do.
//
// Here are the rules between entries; log_entry.mjs reads one entry, log_states.mjs its state, and
// log_histories.mjs asks. Left out here alone: that an Ed25519 key is a point of the prime-order
// subgroup.

import {canonical, checkSignature, digest, Junk, must, parseEntry, same, signedBy}
  from './log_entry.mjs';
import {checkState, checkUpdate} from './log_states.mjs';

const DAY_MS = 86_400_000, BACK_OFF_MS = 14 * DAY_MS, LAG_MS = 7 * DAY_MS;
const TIME_MAX_MS = 253_402_300_799_000, LOG_MAX = 4096, MOVES_MAX = 16, STAGES_MAX = 32;

// Rules between entries (3, 5 to 9); `before` is the content that counts at prev

const announced = ({next}) => (key) => next.kd.includes(digest(key));
const among = ({k}) => (key) => k.includes(key);
const digestOf = ({reveal: {k, salt, t}}) => digest(canonical({k, salt, t}));
const keeps = (before, entry, names) =>
  must(names.every((name) => same(entry[name], before[name])), `changes one of ${names}`);

function checkNewContent(entry, test) {
  const {delay, contest} = entry.rec;  // Seconds.
  must(test || (delay > 0 && contest >= 2 * delay + 21 * 86_400), 'windows');
  must(!entry.keys.k.some(announced(entry)), 'a next key is known');
  checkState(entry);
}
function checkGenesis(entry, subject) {
  must(entry.op === 'genesis' && entry.id === subject && !entry.text.includes('{SCID}'), 'genesis');
  const scid = entry.id.slice(9);
  must(digest(entry.text.replaceAll(scid, '{SCID}')) === scid, 'SCID');
  signedBy(entry, entry.keys.t, among(entry.keys));
  checkNewContent(entry, entry.test);
}
const NEXT = {
  update(before, entry) {
    keeps(before, entry, ['keys', 'next', 'rec', 'ledgers']);
    checkState(entry);
    checkUpdate(before, entry);
  },
  rotate(before, entry, test) {
    keeps(before, entry, ['ledgers']);
    must(entry.keys.k.every(announced(before)), 'a new key was not announced');
    signedBy(entry, Math.max(before.next.t, entry.keys.t), among(entry.keys));
    checkNewContent(entry, test);
  },
  move(before, entry) {
    keeps(before, entry, ['keys', 'next', 'rec', 'state']);
    must(before.ledgers.includes(entry.from), 'the log does not live there');
    must(entry.ledgers.length > 0 && !entry.ledgers.includes(entry.from), 'it goes nowhere');
    signedBy(entry, before.keys.t, among(before.keys));
  },
  deactivate: (before, entry) => signedBy(entry, before.keys.t, among(before.keys)),
};
/** True for the super-quorum's. */
function checkRecover(fork, entry, test) {
  const revealed = digestOf(entry);
  must([fork.rec.d, fork.rec.hi].includes(revealed), 'another recovery set');
  must(![entry.rec.d, entry.rec.hi].includes(revealed), 'what was revealed is used again');
  must(entry.rec.d !== fork.rec.d, 'authority is kept');
  signedBy(entry, entry.reveal.t, among(entry.reveal));
  checkNewContent(entry, test);
  return revealed === fork.rec.hi;
}
function checkVeto(fork, entry, high) {
  must(high === (entry.reveal !== undefined), 'reveal');
  must(!high || digestOf(entry) === fork.rec.d, 'another recovery set');
  const inSet = (key) => high && among(entry.reveal)(key);
  const may = (key) => announced(fork)(key) || inSet(key);
  signedBy(entry, fork.next.t, may, announced(fork));
  signedBy(entry, high ? entry.reveal.t : 0, may, inSet);
}

// The log (section 4). A record is an entry that counted: {entry, position, from, until}

class Log {
  constructor(subject, testMode) {
    Object.assign(this, {subject, testMode, history: [], pending: null, waits: null, restUntil: 0});
    Object.assign(this, {replaced: [], vetoed: [], evidence: [], junk: new Set()});
    this.seen = new Set();     // Also what was replaced: nothing counts a second time.
    this.counted = new Set();  // Positions.
  }
  get head() { return this.history.at(-1); }
  /** Those on which the log lives. */
  get ledgers() { return this.history.findLast(({entry}) => entry.ledgers).entry.ledgers; }
  get left() {
    return this.home && this.ledger !== undefined && !this.ledgers.includes(this.ledger);
  }
  /** What follows is on this ledger, with its own clock; undefined: nobody says which. */
  enter(ledger) {
    const base = this.history.length;
    Object.assign(this, {ledger, base, home: base > 0, time: 0, earlier: new Set(this.seen)});
  }
  pass(time) {
    this.time = Math.max(this.time, Math.min(time, TIME_MAX_MS));
    if (!this.pending || this.time < this.pending.from) return;
    const effective = this.pending;  // Nobody cancelled it.
    this.replaced.push(...this.history.splice(effective.entry.n).map(({position}) => position));
    this.pending = null;
    this.push(effective);
  }
  push(record) {
    this.history.push(record);
    this.home ||= this.ledgers.includes(this.ledger);
  }
  /** Judged by `time`; its ledger anchored it when it was `shown`. */
  arrive({entry, position, time, shown}) {
    this.pass(time);
    if (this.counted.has(position) || this.earlier.has(entry?.hash)) return;
    try {
      must(entry, 'form');
      this.take(entry, position, Math.min(Math.max(shown, this.time), TIME_MAX_MS));
      this.seen.add(entry.hash);
      this.counted.add(position);
      this.junk.delete(position);
    } catch (error) {
      if (!(error instanceof Junk)) throw error;
      this.junk.add(position);
    }
  }
  take(entry, position, shown) {
    if (this.history.length === 0) return this.genesis(entry, position);
    const {id, kind} = this.history[0].entry;
    must(entry.kind === kind && entry.id === id && entry.op !== 'genesis', 'chain');
    must(!this.seen.has(entry.hash), 'it came before');
    if (entry.op === 'veto') return this.veto(entry);
    if (entry.op === 'recover') return this.recover(entry, position, shown);
    return this.next(entry, position);
  }
  genesis(entry, position) {
    checkGenesis(entry, this.subject);
    this.refused = entry.test && !this.testMode;
    must(!this.refused, 'a test log');
    this.test = entry.test ?? false;
    this.push({entry, position, from: this.time, until: Infinity});
  }
  /** The content after entry `n`; a deactivate carries none, and nothing continues it. */
  content(n) {
    must(this.history[n].entry.op !== 'deactivate', 'the log has ended');
    return this.history[n].entry;
  }
  /** What an entry counts on: the content before it, if prev names that. */
  parent({n, prev}) {
    must(this.history[n - 1]?.entry.hash === prev, 'chain');
    return this.content(n - 1);
  }
  /** D or C in milliseconds after entry `n`: a longer one of before counts until it has run. */
  window(name, n, time) {
    const own = ({entry}) => entry.rec[name] * 1000;
    const before = this.history.slice(0, n).filter(
      (record, i) => time < this.history[i + 1].from + own(record));
    return Math.max(own(this.history[n]), ...before.map(own));
  }
  next(entry, position) {
    const {op, n, kind} = entry;
    NEXT[op](this.parent(entry), entry, this.test);
    const rival = this.history[n]?.entry;
    if (rival && rival.op !== 'recover' && kind !== 'pair') {
      this.evidence.push(position);
      this.seen.add(entry.hash);
    }
    must(!rival && (n < LOG_MAX || op === 'deactivate'), 'a second one, or too many');
    must(!this.left, 'the log goes on elsewhere');
    const moves = this.history.filter((record) => record.entry.op === 'move').length;
    const here = this.ledger === undefined || this.ledger === entry.from;
    must(op !== 'move' || (here && moves < MOVES_MAX), 'on another ledger, or too many moves');
    const until = op === 'update' ? Infinity : this.time + this.window('contest', n - 1, this.time);
    this.push({entry, position, from: this.time, until});
  }
  recover(entry, position, shown) {
    const {n} = entry;
    must(n >= this.base, 'the old ledger says that');
    must(!this.left || n < this.history.length, 'the log goes on elsewhere');
    const high = checkRecover(this.parent(entry), entry, this.test);
    must(!this.pending || (high && !this.pending.high), 'the place is taken');
    must(high || this.time >= this.restUntil, 'rest after a veto');
    for (const {entry: {op}, until, high: byHigh} of this.history.slice(n)) {
      must(this.time <= until && (op !== 'recover' || (high && !byHigh)), 'C is over');
    }
    if (this.pending) this.replaced.push(this.pending.position);
    const from = shown + this.window('delay', n - 1, shown);
    this.pending = {entry, position, from, until: from + this.window('contest', n - 1, from), high};
  }
  veto(entry) {
    must(this.pending && entry.ref === this.pending.entry.hash, 'not the pending recover');
    const {entry: {n}, high, position} = this.pending;
    must(entry.prev === entry.ref && entry.n === n + 1, 'chain');
    checkVeto(this.content(n - 1), entry, high);
    this.vetoed.push(position);
    if (!high) this.restUntil = this.time + BACK_OFF_MS;
    this.pending = null;
  }
  get status() {
    if (this.waits) return this.waits.entry.n < this.history.length ? 'contested' : 'pending';
    return this.head.entry.op === 'deactivate' ? 'deactivated' : 'normal';
  }
}

// Ledgers, one after the other

function orJunk(read, otherwise) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Junk)) throw error;
    return otherwise;
  }
}
/** Whether the witness `k` says that it saw the blob `text` at `time`. */
const saw = (subject, text, {k, time, s}) => orJunk(() => {
  const said = `kith-witness-time/v1\n${subject}\n${digest(text)}\n${time}\n`;
  checkSignature(k, Buffer.from(said), s);
  return true;
}, false);
/** When w witnesses of the ledger saw the blob, if that is in the place of the time that it has. */
function witnessedTime({entry, text, shown, anchored, witnessed}, subject, ledger) {
  if (!['recover', 'veto'].includes(entry?.op) || !ledger?.w) return Infinity;
  const good = witnessed.filter((word) => saw(subject, text, word));
  const times = ledger.witnesses.map(
    (key) => Math.min(...good.filter(({k}) => k === key).map(({time}) => time * 1000)));
  const seen = times.sort((one, other) => one - other)[ledger.w - 1];
  return shown <= seen + LAG_MS && (seen < shown || !anchored) ? seen : Infinity;
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
/** All that is judged by the time of `home`: in its order, and what is not in that by its time. */
function stage(blobs, home, witnessedAt) {
  const own = blobs.filter(({ledger, anchored}) => ledger === home && anchored);
  const others = leaving(blobs, home);
  const seen = [...others, ...blobs.filter(({ledger}) => ledger === home)]
    .map((blob) => ({...blob, time: witnessedAt(blob)})).filter(({time}) => time < Infinity);
  const isVeto = ({entry}) => entry.op === 'veto';
  const aside = [...others.filter(({anchored}) => anchored), ...seen].sort((one, other) =>
    one.time - other.time || isVeto(one) - isVeto(other) || one.position - other.position);
  let clock = 0;
  const ordered = own.flatMap((blob) => {
    clock = Math.max(clock, blob.time);
    const before = aside.findIndex(({time}) => time >= clock);
    return [...aside.splice(0, before < 0 ? aside.length : before), blob];
  });
  return [...ordered, ...aside];
}
/** The log of `subject`, from what the form of the histories tells (README.md there). */
export function readLog({subject, blobs: told, now_ms: now, test_mode: testMode, ledgers = []}) {
  const blobs = told.map(({blob: text, time_ms, seen_ms, ledger, witnessed = []}, position) => {
    const entry = orJunk(() => parseEntry(text), null);
    const time = time_ms ?? seen_ms;
    const anchored = time_ms !== undefined;
    return {entry, text, position, ledger, time, shown: time, anchored, witnessed};
  });
  const known = new Map(ledgers.map((one) => [`ledger:${digest(canonical(one))}`, one]));
  const log = new Log(subject, testMode);
  const read = [];
  for (let next = blobs[0]?.ledger; read.length < STAGES_MAX; [next] = log.ledgers) {
    log.enter(next);
    const witnessedAt = (blob) => witnessedTime(blob, subject, known.get(next));
    stage(blobs, next, witnessedAt).forEach((blob) => log.arrive(blob));
    log.pass(now);
    log.waits ??= log.pending;
    log.pending = null;
    read.push(next);
    if (!log.head || !log.left || !blobs.some(({ledger}) => ledger === log.ledgers[0])) break;
  }
  for (const {ledger, position, anchored} of blobs) {
    const judged = anchored && read.includes(ledger);
    if (!judged && !log.counted.has(position)) log.junk.add(position);
  }
  return log;
}
