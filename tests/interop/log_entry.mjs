// One log entry: its form, its hash and its signatures (log protocol, section 1; rules 1 and 11 of
// section 3).

import {createHash, createPublicKey, verify} from 'node:crypto';

const WINDOW_MAX = 3650 * 86_400;  // Seconds.
const BYTES_MAX = 16_384, DEPTH_MAX = 16, KEYS_MAX = 64;

/** A rule was broken. Anything else that is thrown is a fault of ours. */
export class Junk extends Error {}
export const must = (holds, rule) => { if (!holds) throw new Junk(rule); };
export const isObject = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isText = (value) => typeof value === 'string' && value !== '';
export const isPlain = (value, max) =>
  isText(value) && value.length <= max && /^[!-~]+$/.test(value);
export const isInt = (value, low, high) =>
  Number.isSafeInteger(value) && low <= value && value <= high;
export const distinct = (list) => new Set(list).size === list.length;
export const same = (a, b) => canonical(a) === canonical(b);

export function list(value, low, high, checkItem) {
  must(Array.isArray(value) && low <= value.length && value.length <= high, 'length of a list');
  value.forEach(checkItem);
}
export function members(object, needed, allowed = []) {
  must(isObject(object) && needed.every((name) => Object.hasOwn(object, name)), 'member missing');
  const known = [...needed, ...allowed];
  must(Object.keys(object).every((name) => known.includes(name)), 'unknown member');
}

// Text and digests

export function canonical(value) {  // RFC 8785, of values that checkValue lets through.
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? '';
  const member = (name) => `${JSON.stringify(name)}:${canonical(value[name])}`;
  return `{${Object.keys(value).sort().map(member).join()}}`;
}
function checkValue(value, depth) {
  must(value !== null, 'null');
  must(typeof value !== 'number' || Number.isSafeInteger(value), 'no integer');
  must(typeof value !== 'string' || !/\p{Surrogate}/u.test(value), 'half a character');
  if (typeof value !== 'object') return;
  must(depth <= DEPTH_MAX, 'too deep');
  for (const [name, inner] of Object.entries(value)) {
    must(/^[\0-\x7f]*$/.test(name), 'names are ASCII');
    checkValue(inner, depth + 1);
  }
}
const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
function multibase(bytes) {  // Of bytes that do not begin with zero.
  let text = '';
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); rest > 0n; rest /= 58n) {
    text = DIGITS[Number(rest % 58n)] + text;
  }
  return `z${text}`;
}
export function unbase(text, size) {
  must(isText(text) && /^z[1-9A-HJ-NP-Za-km-z]{1,128}$/.test(text), 'not multibase');
  const zeros = /^z(1*)/.exec(text)[1].length;
  const number = [...text.slice(1)].reduce((sum, c) => sum * 58n + BigInt(DIGITS.indexOf(c)), 0n);
  const hex = number === 0n ? '' : number.toString(16);
  const bytes = Buffer.from('00'.repeat(zeros) + (hex.length % 2 ? `0${hex}` : hex), 'hex');
  must(bytes.length === size, 'size of multibase');
  return bytes;
}
const sha256 = (text) => createHash('sha256').update(text).digest();
export const digest = (text) => multibase(Buffer.concat([Buffer.from([0x12, 0x20]), sha256(text)]));
const checkDigest = (text) => must(unbase(text, 34).readUInt16BE() === 0x1220, 'not a digest');

// Keys and signatures (rule 11)

const HALF_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n / 2n;
const ED25519 = {code: 0xed01, bytes: 32, head: '302a300506032b6570032100', hash: null};
const SECP256K1 = {code: 0xe701, bytes: 33, hash: 'sha256',
                   head: '3036301006072a8648ce3d020106052b8104000a032200'};
export function rawKey(multikey, {code, bytes}) {
  const raw = unbase(multikey, bytes + 2);
  must(raw.readUInt16BE() === code, 'kind of key');
  return raw.subarray(2);
}
export function signingKey(multikey) {
  const type = isText(multikey) && multikey.startsWith('z6Mk') ? ED25519 : SECP256K1;
  const der = Buffer.concat([Buffer.from(type.head, 'hex'), rawKey(multikey, type)]);
  try {
    return {type, key: createPublicKey({key: der, format: 'der', type: 'spki'})};
  } catch {
    throw new Junk('no such key');
  }
}
function checkSignature({type, key}, message, s) {
  const lowS = type === ED25519 || BigInt(`0x${s.toString('hex', 32)}`) <= HALF_ORDER;
  must(lowS && verify(type.hash, message, {key, dsaEncoding: 'ieee-p1363'}, s), 'signature');
}
/** Of what is not an entry; a key or signature of another form is not theirs. */
export function isSignedBy(multikey, message, s) {
  try {
    checkSignature(signingKey(multikey), Buffer.from(message), unbase(s, 64));
    return true;
  } catch (error) {
    if (!(error instanceof Junk)) throw error;
    return false;
  }
}
/** All signers must have a say, and enough of them `t`; one without a say spoils the entry. */
export function signedBy(entry, t, may, need = may) {
  must(entry.signers.every(may) && entry.signers.filter(need).length >= t, 'signers');
}

// Entries: form (rule 1)

const CONTENT = ['keys', 'ledgers', 'next', 'rec', 'state'];
const MEMBERS = {genesis: [CONTENT, ['test']], update: [CONTENT], rotate: [CONTENT],
                 recover: [[...CONTENT, 'reveal']], move: [[...CONTENT, 'from']],
                 veto: [['ref'], ['reveal']], deactivate: [[]]};

function checkSet(set, name, checkItem, more = []) {
  members(set, ['t', name, ...more]);
  list(set[name], 1, KEYS_MAX, checkItem);
  must(distinct(set[name]) && isInt(set.t, 1, set[name].length), 'threshold');
}
/** Such as 2026-11-22T01:00:00Z, and a day that there was. */
function isTime(text) {
  const time = isText(text) ? Date.parse(text) : NaN;
  return time >= 0 && `${new Date(time).toISOString().slice(0, 19)}Z` === text;
}
function checkReveal(reveal) {
  checkSet(reveal, 'k', signingKey, ['salt']);
  unbase(reveal.salt, 32);
}
function checkContent({kind, keys, next, rec, ledgers}) {
  checkSet(keys, 'k', signingKey);
  checkSet(next, 'kd', checkDigest);
  members(rec, ['d', 'delay', 'contest'], ['hi']);
  [rec.d, rec.hi ?? rec.d].forEach(checkDigest);
  must(rec.d !== rec.hi, 'one set for both');
  must(isInt(rec.delay, 0, WINDOW_MAX) && isInt(rec.contest, 0, WINDOW_MAX), 'windows');
  list(ledgers, 0, kind === 'pair' ? 0 : 8, (ledger) => must(isPlain(ledger, 512), 'ledger id'));
  must(distinct(ledgers), 'one ledger twice');
}
/** An entry from its blob, with its hash and its signers, whose signatures hold. */
export function parseEntry(blob) {
  must(Buffer.byteLength(blob) <= BYTES_MAX, 'too large');
  let entry;
  try { entry = JSON.parse(blob); } catch { throw new Junk('not JSON'); }
  checkValue(entry, 1);
  must(isObject(entry) && canonical(entry) === blob, 'not canonical');
  must(entry.v === 'kith/1' && Object.hasOwn(MEMBERS, entry.op), 'version or operation');
  const [needed, allowed = []] = MEMBERS[entry.op];
  members(entry, ['v', 'kind', 'id', 'n', 'prev', 'time', 'op', 'sigs', ...needed], allowed);
  must(['did', 'policy', 'pair'].includes(entry.kind), 'kind');
  must(isText(entry.id) && entry.id.startsWith('did:kith:'), 'id');
  checkDigest(entry.id.slice(9));
  must(isTime(entry.time), 'time');
  const first = entry.op === 'genesis';
  must(first ? entry.n === 0 && entry.prev === '' : isInt(entry.n, 1, 2 ** 53), 'n');
  if (!first) checkDigest(entry.prev);
  must((entry.test ?? true) === true, 'test');
  if (needed.includes('keys')) checkContent(entry);
  if (Object.hasOwn(entry, 'reveal')) checkReveal(entry.reveal);
  if (Object.hasOwn(entry, 'from')) must(isPlain(entry.from, 512), 'from');
  const {sigs, ...unsigned} = entry;
  list(sigs, 1, KEYS_MAX, (sig) => members(sig, ['k', 's']));
  const text = canonical(unsigned);
  const message = Buffer.concat([Buffer.from('kith-log-v1\n'), sha256(text)]);
  for (const {k, s} of sigs) checkSignature(signingKey(k), message, unbase(s, 64));
  const signers = sigs.map(({k}) => k);
  must(distinct(signers), 'one signer twice');
  return {...entry, text, signers, hash: digest(text)};
}
