// A second reader of did:kith logs, written from the log protocol and docs/wire-formats.md (Logs)
// alone, with Node.js and nothing else: what two readers make of the same histories is what the
// text says, not what one program does. Sections and rules are the protocol's; what breaks one is
// false or null. Left out alone: that an Ed25519 key is a point of the prime-order subgroup.
import {canonical, digest, distinct, fits, int, isDigest, isDocument, isKey, isMoment, isObject,
        isPair, isPolicy, isSigned, isText, oneOf, optional, parse, plain, random, same, sha256}
  from './log_values.mjs';
const DAY_S = 86_400, BACK_OFF_MS = 14 * DAY_S * 1000, LAG_MS = 7 * DAY_S * 1000;
const TIME_MAX_MS = 253_402_300_799_000, LOG_MAX = 4096, MOVES_MAX = 16, STAGES_MAX = 32;

// The form of an entry (rule 1)
const keySet = (name, test, more) => (set) =>
  fits(set, {t: int(1, 64), [name]: [test, 1, 64], ...more}) &&
  distinct(set[name]) && set.t <= set[name].length;
const window = int(0, 3650 * DAY_S), reveal = keySet('k', isKey, {salt: random});
const PLACE = {v: oneOf('kith/1'), kind: oneOf('did', 'policy', 'pair'), op: isText, time: isMoment,
  id: (id) => isText(id) && id.startsWith('did:kith:') && isDigest(id.slice(9)),
  n: int(1, 2 ** 53), prev: isDigest, sigs: [{k: isText, s: isText}, 1, 64]};
const CONTENT = {...PLACE, keys: keySet('k', isKey), next: keySet('kd', isDigest), state: isObject,
  rec: (rec) => fits(rec, {d: isDigest, hi: optional(isDigest), delay: window, contest: window}) &&
    rec.d !== rec.hi,
  ledgers: (ids) => fits(ids, [plain(512), 0, 8]) && distinct(ids)};
const FORMS = {__proto__: null, update: CONTENT, rotate: CONTENT, deactivate: PLACE,
  genesis: {...CONTENT, n: oneOf(0), prev: oneOf(''), test: optional(oneOf(true))},
  recover: {...CONTENT, reveal}, veto: {...PLACE, ref: isDigest, reveal: optional(reveal)},
  move: {...CONTENT, from: plain(512)}};
/** An entry with its hash and its signers, whose signatures hold. */
function readEntry(blob) {
  const entry = Buffer.byteLength(blob) <= 16_384 ? parse(blob) : null, form = FORMS[entry?.op];
  if (!form || !fits(entry, form) || (entry.kind === 'pair' && entry.ledgers?.length)) return null;
  const {sigs, ...unsigned} = entry, text = canonical(unsigned), signers = sigs.map(({k}) => k);
  const message = Buffer.concat([Buffer.from('kith-log-v1\n'), sha256(text)]);
  const isGood = distinct(signers) && sigs.every((one) => isSigned(message, one));
  return isGood ? {...entry, text, signers, hash: digest(text)} : null;
}

// Who must sign a change of what the log is about (section 2; rule 4)
const PROVE = 1n, KNOWN = 127n, MAY = {grant: 34n, revoke: 20n, admin: 72n, none: 0n};
function mayChangePolicy({state: before}, {state: after, signers}) {
  const find = (policy, wanted) => policy.agents.find(({key}) => key === wanted) ?? {auth: 0};
  const asked = [...before.agents, ...after.agents].flatMap(({key}) => {
    const [old, now] = [find(before, key), find(after, key)];
    const had = BigInt(old.auth), has = BigInt(now.auth), lost = had & ~has, gained = has & ~had;
    const moved = old.commitment !== now.commitment, named = old.label !== now.label;
    return [  // Whether that changed, the rule for it, and who may do it alone.
      [gained & PROVE || (moved && now.commitment), 'grant'], [gained & ~PROVE, 'admin'],
      [lost & PROVE || (moved && old.commitment), 'revoke', key], [lost & ~PROVE, 'admin', key],
      [old.key && now.key ? named : !old.key && !has, 'admin'], [!now.key && !had, 'admin', key],
      [gained & ~KNOWN, 'none']];
  }).filter(([changed]) => changed);
  const stay = (one, other) => one.agents.map(({key}) => key).filter((key) => find(other, key).key);
  const rest = (one, other) => [one.rules, one.set ?? '', stay(one, other)];
  if (!asked.length || !same(rest(before, after), rest(after, before))) asked.push([true, 'admin']);
  const agents = before.agents.filter(({key}) => signers.includes(key));
  const signed = (rule) => agents.filter(({auth}) => (BigInt(auth) & MAY[rule]) !== 0n).length;
  return agents.length === signers.length &&
    asked.every(([, rule, self]) => signers.includes(self) || signed(rule) >= before.rules[rule]);
}
/** Without the active keys agents leave, or replace their own keys in their places. */
function mayChangePair({state, keys}, {state: after, signers}) {
  const [old, now] = [state.agents, after.agents], did = (agent) => signers.includes(agent.auth);
  const isAgent = (key) => old.some(({auth}) => auth === key), isActive = among(keys);
  const stays = (agent) => now.some((one) => same(one, agent));
  const isOwnKey = (key, agent) => key === agent.auth || !isAgent(key);
  const isOwn = (one, i) => same(one, now[i]) || (did(one) && isOwnKey(now[i].auth, one));
  const alone = old.length > now.length ? same(now, old.filter(stays)) :
    old.length === now.length && !same(old, now) && old.every(isOwn);
  return signers.every((key) => isAgent(key) || isActive(key)) &&
    (signers.filter(isAgent).length >= state.revoke || old.every((it) => stays(it) || did(it))) &&
    (signers.filter(isActive).length >= keys.t ||
     (alone && same({...state, agents: 0}, {...after, agents: 0})));
}

// Rules between entries (3 to 9); `before` is the content that counts at prev
const among = ({k}) => (key) => k.includes(key);
const announced = ({next}) => (key) => next.kd.includes(digest(key));
/** Every signer may, and at least `t` of those who are needed did. */
const signedBy = ({signers}, t, may, needed = may) =>
  signers.every(may) && signers.filter(needed).length >= t;
const byActive = ({keys}, entry) => signedBy(entry, keys.t, among(keys));
const MAY_CHANGE = {did: byActive, policy: mayChangePolicy, pair: mayChangePair};
const isState = ({kind, state, id}) =>
  ({did: isDocument, policy: isPolicy, pair: isPair})[kind](state, id);
const isContent = (entry, test) => isState(entry) && !entry.keys.k.some(announced(entry)) &&
  (test || (entry.rec.delay > 0 && entry.rec.contest >= 2 * entry.rec.delay + 21 * DAY_S));
const isGenesis = (entry, subject) => entry.op === 'genesis' && entry.id === subject &&
  !entry.text.includes('{SCID}') && byActive(entry, entry) && isContent(entry, entry.test) &&
  digest(entry.text.replaceAll(entry.id.slice(9), '{SCID}')) === entry.id.slice(9);
const keeps = (before, entry, ...names) => names.every((name) => same(entry[name], before[name]));
const MAY_FOLLOW = {
  update: (before, entry) => keeps(before, entry, 'keys', 'next', 'rec', 'ledgers') &&
    isState(entry) && MAY_CHANGE[entry.kind](before, entry),
  rotate: (before, entry, test) => keeps(before, entry, 'ledgers') && isContent(entry, test) &&
    entry.keys.k.every(announced(before)) &&
    signedBy(entry, Math.max(before.next.t, entry.keys.t), among(entry.keys)),
  move: (before, entry) => keeps(before, entry, 'keys', 'next', 'rec', 'state') &&
    entry.ledgers.length > 0 && !entry.ledgers.includes(entry.from) &&
    before.ledgers.includes(entry.from) && byActive(before, entry),
  deactivate: byActive};
const revealed = ({reveal: {k, salt, t}}) => digest(canonical({k, salt, t}));
const mayRecover = ({rec: {d, hi}}, entry, test) => [d, hi].includes(revealed(entry)) &&
  entry.rec.d !== d && ![entry.rec.d, entry.rec.hi].includes(revealed(entry)) &&
  signedBy(entry, entry.reveal.t, among(entry.reveal)) && isContent(entry, test);
function mayVeto(fork, entry, high) {
  const {k, t} = entry.reveal ?? {k: [], t: 0}, bySet = among({k}), byOwner = announced(fork);
  const may = (key) => byOwner(key) || bySet(key);
  return high === (t > 0) && (!high || revealed(entry) === fork.rec.d) &&
    signedBy(entry, fork.next.t, may, byOwner) && signedBy(entry, t, may, bySet);
}

// The log (section 4). A record is an entry that counted: {entry, position, from, until, high}
class Log {
  history = []; pending = null; restUntil = 0; replaced = []; vetoed = []; evidence = [];
  seen = new Set();  // Hashes, also of what was replaced: nothing counts a second time.
  fine = new Set();  // Positions of what counted, and of copies of it.
  constructor(subject, testMode) { Object.assign(this, {subject, testMode}); }
  get ledgers() { return this.history.findLast(({entry}) => entry.ledgers).entry.ledgers; }
  /** Whether the log lived on the ledger that is read, and does no more. */
  get left() {
    const isHere = ({entry: {ledgers}}) => ledgers?.includes(this.ledger);
    const lived = this.ledger && (this.base > 0 || this.history.some(isHere));
    return lived && !this.ledgers.includes(this.ledger);
  }
  /** What follows is on this ledger, with its own clock; undefined: nobody says which. */
  enter(ledger) {
    Object.assign(this, {ledger, base: this.history.length, known: new Set(this.seen), time: 0});
  }
  pass(time) {
    this.time = Math.max(this.time, Math.min(time, TIME_MAX_MS));
    const effective = this.pending;
    if (!effective || this.time < effective.from) return;
    this.pending = null;
    this.replaced.push(...this.history.splice(effective.entry.n).map(({position}) => position));
    this.history.push(effective);
  }
  /** A blob in its turn: `time` judges it; its ledger anchored it when it was `shown`. */
  arrive({entry, position, time, shown}) {
    this.pass(time);
    const anchored = Math.min(Math.max(shown, this.time), TIME_MAX_MS);
    if (!entry || this.fine.has(position)) return;
    if (!this.known.has(entry.hash) && !this.take(entry, position, anchored)) return;
    this.seen.add(entry.hash);
    this.fine.add(position);
  }
  take(entry, position, anchored) {
    const first = this.history[0]?.entry ?? entry, before = this.history[entry.n - 1]?.entry;
    const isOurs = first.id === entry.id && first.kind === entry.kind;
    if (!isOurs || this.seen.has(entry.hash)) return false;
    if (first === entry) return this.begin(entry, position);
    if (entry.op === 'veto') return this.veto(entry);
    if (before?.hash !== entry.prev || before.op === 'deactivate') return false;
    if (entry.op === 'recover') return this.recover(before, entry, position, anchored, first.test);
    return this.next(before, entry, position, first.test);
  }
  begin(entry, position) {
    const isFirst = isGenesis(entry, this.subject);
    this.refused = isFirst && entry.test && !this.testMode;
    if (!isFirst || this.refused) return false;
    return this.history.push({entry, position, from: this.time, until: Infinity});
  }
  /** D or C in milliseconds after entry `n`: a longer one of before counts until it has run. */
  window(name, n, time) {
    const own = ({entry}) => entry.rec[name] * 1000;
    const runs = (record, i) => i === n || time < this.history[i + 1].from + own(record);
    return Math.max(...this.history.slice(0, n + 1).filter(runs).map(own));
  }
  next(before, entry, position, test) {
    const {op, n, kind, from} = entry, rival = this.history[n]?.entry;
    if (!MAY_FOLLOW[op]?.(before, entry, test)) return false;
    const isEvidence = rival && rival.op !== 'recover' && kind !== 'pair';
    if (isEvidence) this.seen.add(entry.hash) && this.evidence.push(position);
    const moves = this.history.filter((record) => record.entry.op === 'move').length;
    const mayMove = op !== 'move' || (moves < MOVES_MAX && [undefined, from].includes(this.ledger));
    const contest = op === 'update' ? Infinity : this.window('contest', n - 1, this.time);
    return !rival && !this.left && mayMove && (n < LOG_MAX || op === 'deactivate') &&
      this.history.push({entry, position, from: this.time, until: this.time + contest});
  }
  recover(fork, entry, position, anchored, test) {
    const {n} = entry, high = revealed(entry) === fork.rec.hi, old = this.pending;
    const isOpen = ({entry: {op}, until, high: byHigh}) =>
      this.time <= until && (op !== 'recover' || (high && !byHigh));
    const inPlace = n >= this.base && (!this.left || n < this.history.length);
    const isFree = high ? !old?.high : !old && this.time >= this.restUntil;
    if (!inPlace || !isFree || !this.history.slice(n).every(isOpen)) return false;
    if (!mayRecover(fork, entry, test)) return false;
    if (old) this.replaced.push(old.position);
    const from = anchored + this.window('delay', n - 1, anchored);
    this.pending = {entry, position, from, until: from + this.window('contest', n - 1, from), high};
    return true;
  }
  veto(entry) {
    const {entry: {hash, n} = {}, high, position} = this.pending ?? {};
    if (entry.prev !== hash || entry.ref !== hash || entry.n !== n + 1) return false;
    if (!mayVeto(this.history[n - 1].entry, entry, high)) return false;
    this.vetoed.push(position);
    if (!high) this.restUntil = this.time + BACK_OFF_MS;
    this.pending = null;
    return true;
  }
}

// Ledgers, one after the other
/** When w witnesses of the ledger saw the blob, if that is in the place of the time that it has. */
function witnessedTime({entry, text, shown, anchored, witnessed}, subject, ledger) {
  if (!['recover', 'veto'].includes(entry?.op) || !ledger?.w) return Infinity;
  const said = (time) => `kith-witness-time/v1\n${subject}\n${digest(text)}\n${time}\n`;
  const good = witnessed.filter((word) => isSigned(Buffer.from(said(word.time)), word));
  const first = (key) => Math.min(...good.map(({k, time}) => (k === key ? time * 1000 : Infinity)));
  const seen = ledger.witnesses.map(first).sort((one, other) => one - other)[ledger.w - 1];
  return shown <= seen + LAG_MS && (seen < shown || !anchored) ? seen : Infinity;
}
/** All that is judged by the time of `home`: in its order, and what is not in that by its time. */
function stage(blobs, home, subject, descriptor) {
  const here = blobs.filter(({ledger}) => ledger === home);
  const others = blobs.filter(({ledger, entry}) => home && ledger !== home && entry);
  const leaves = ({ledger, entry: {op, ledgers}}) =>
    op === 'recover' && ledgers[0] === ledger && !ledgers.includes(home);
  const stops = ({ledger, entry: {op, ref}}) => op === 'veto' && others.some(
    (one) => leaves(one) && one.ledger === ledger && one.entry.hash === ref);
  const away = others.filter((blob) => leaves(blob) || stops(blob));
  const witnessed = [...away, ...here].map(
    (blob) => ({...blob, time: witnessedTime(blob, subject, descriptor)}));
  const aside = [...away.filter(({anchored}) => anchored), ...witnessed].filter(
    ({time}) => time < Infinity);
  let clock = 0;
  const own = here.filter(({anchored}) => anchored).map(
    (blob) => ({...blob, rank: 0, time: clock = Math.max(clock, blob.time)}));
  const ranked = aside.map((blob) => ({...blob, rank: blob.entry.op === 'veto' ? 2 : 1}));
  return [...own, ...ranked].sort((one, other) =>
    one.time - other.time || one.rank - other.rank || one.position - other.position);
}
/** The log of `subject`, from what the form of the histories tells (README.md there). */
export function readLog({subject, blobs: told, now_ms: now, test_mode: testMode, ledgers = []}) {
  const blobs = told.map(({blob: text, time_ms, seen_ms, ledger, witnessed = []}, position) => {
    const time = time_ms ?? seen_ms, anchored = time_ms !== undefined;
    return {entry: readEntry(text), text, position, ledger, witnessed, time, shown: time, anchored};
  });
  const known = new Map(ledgers.map((one) => [`ledger:${digest(canonical(one))}`, one]));
  const log = new Log(subject, testMode);
  for (let next = blobs[0]?.ledger, left = STAGES_MAX; left > 0; left--, [next] = log.ledgers) {
    log.enter(next);
    stage(blobs, next, subject, known.get(next)).forEach((blob) => log.arrive(blob));
    log.pass(now);
    log.waits ??= log.pending;
    log.pending = null;
    if (!log.left || !blobs.some(({ledger}) => ledger === log.ledgers[0])) break;
  }
  log.junk = blobs.map(({position}) => position).filter((one) => !log.fine.has(one));
  return log;
}
