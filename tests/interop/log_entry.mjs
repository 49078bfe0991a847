// One log entry: its form, its hash and its signatures (log protocol, section 1; rules 1 and 11 of
// section 3).

import {createHash, createPublicKey, verify} from 'node:crypto';

/** A rule was broken. Anything else that is thrown is a fault of ours. */
export class Junk extends Error {}
export const must = (holds, rule) => { if (!holds) throw new Junk(rule); };

// Shapes: each throws unless a value has it

export const distinct = (items) => new Set(items).size === items.length;
export const oneOf = (...values) => (value) => must(values.includes(value), `one of ${values}`);
export const int = (low, high) => (value) =>
  must(Number.isSafeInteger(value) && low <= value && value <= high, 'integer');
export const text = (value) => must(typeof value === 'string' && value !== '', 'text');
export const plain = (max) => (value) => {
  text(value);
  must(value.length <= max && /^[!-~]+$/.test(value), 'plain text');
};
export const list = (low, high, item) => (value) => {
  must(Array.isArray(value) && low <= value.length && value.length <= high, 'list');
  value.forEach(item);
};
export const isObject = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const object = (needed, allowed = {}) => (value) => {
  const has = (name) => Object.hasOwn(value, name);
  must(isObject(value) && Object.keys(needed).every(has), 'member missing');
  const shapes = {__proto__: null, ...needed, ...allowed};
  for (const [name, inner] of Object.entries(value)) {
    must(shapes[name], 'unknown member');
    shapes[name](inner);
  }
};

// Text and digests

export function canonical(value) {  // RFC 8785, of values that checkValue lets through.
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? '';
  const member = (name) => `${JSON.stringify(name)}:${canonical(value[name])}`;
  return `{${Object.keys(value).sort().map(member).join()}}`;
}
export const same = (one, other) => canonical(one) === canonical(other);
function checkValue(value, depth) {
  must(value !== null && (typeof value !== 'number' || Number.isSafeInteger(value)), 'value');
  must(typeof value !== 'string' || !/\p{Surrogate}/u.test(value), 'half a character');
  if (typeof value !== 'object') return;
  const isName = (name) => /^[\0-\x7f]*$/.test(name);
  must(depth <= 16 && Object.keys(value).every(isName), 'depth, or names beyond ASCII');
  Object.values(value).forEach((inner) => checkValue(inner, depth + 1));
}
const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
function multibase(bytes) {  // Of bytes that do not begin with zero.
  let digits = '';
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); rest > 0n; rest /= 58n) {
    digits = DIGITS[Number(rest % 58n)] + digits;
  }
  return `z${digits}`;
}
export function unbase(value, size) {
  must(typeof value === 'string' && /^z[1-9A-HJ-NP-Za-km-z]{1,128}$/.test(value), 'multibase');
  const digits = [...value.slice(1)].map((digit) => DIGITS.indexOf(digit));
  const hex = digits.reduce((sum, digit) => sum * 58n + BigInt(digit), 0n).toString(16);
  const bytes = [...Buffer.from(hex.padStart(2 * size, '0'), 'hex')];
  const zeros = (all) => [...all, 1].findIndex((one) => one !== 0);
  must(hex.length <= 2 * size && zeros(digits) === zeros(bytes), 'size of multibase');
  return Buffer.from(bytes);
}
const sha256 = (value) => createHash('sha256').update(value).digest();
export const digest = (value) =>
  multibase(Buffer.concat([Buffer.from([0x12, 0x20]), sha256(value)]));
const isDigest = (value) => must(unbase(value, 34).readUInt16BE() === 0x1220, 'digest');

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
  const type = `${multikey}`.startsWith('z6Mk') ? ED25519 : SECP256K1;
  const der = Buffer.concat([Buffer.from(type.head, 'hex'), rawKey(multikey, type)]);
  try {
    return {type, key: createPublicKey({key: der, format: 'der', type: 'spki'})};
  } catch {
    throw new Junk('no such key');
  }
}
export function checkSignature(multikey, message, signature) {
  const {type, key} = signingKey(multikey);
  const s = unbase(signature, 64);
  const low = type === ED25519 || BigInt(`0x${s.toString('hex', 32)}`) <= HALF_ORDER;
  must(low && verify(type.hash, message, {key, dsaEncoding: 'ieee-p1363'}, s), 'signature');
}
/** All signers must have a say, and enough of them `t`; one without a say spoils the entry. */
export function signedBy({signers}, t, may, need = may) {
  must(signers.every(may) && signers.filter(need).length >= t, 'signers');
}

// Entries: form (rule 1)

const WINDOW = int(0, 3650 * 86_400);  // Seconds.
const keySet = (name, item, more = {}) => (set) => {
  object({t: int(1, 64), [name]: list(1, 64, item), ...more})(set);
  must(distinct(set[name]) && set.t <= set[name].length, 'threshold');
};
function authority(rec) {
  object({d: isDigest, delay: WINDOW, contest: WINDOW}, {hi: isDigest})(rec);
  must(rec.d !== rec.hi, 'one set for both');
}
/** Such as 2026-11-22T01:00:00Z, and a day that there was. */
function moment(value) {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  must(time >= 0 && `${new Date(time).toISOString().slice(0, 19)}Z` === value, 'time');
}
const PLACE = {n: int(1, 2 ** 53), prev: isDigest};
const CONTENT = {...PLACE, keys: keySet('k', signingKey), next: keySet('kd', isDigest),
                 rec: authority, ledgers: list(0, 8, plain(512)),
                 state: (value) => must(isObject(value), 'state')};
const REVEAL = {reveal: keySet('k', signingKey, {salt: (salt) => unbase(salt, 32)})};
const OPERATIONS = {__proto__: null, update: [CONTENT], rotate: [CONTENT], deactivate: [PLACE],
                    genesis: [{...CONTENT, n: oneOf(0), prev: oneOf('')}, {test: oneOf(true)}],
                    recover: [{...CONTENT, ...REVEAL}], veto: [{...PLACE, ref: isDigest}, REVEAL],
                    move: [{...CONTENT, from: plain(512)}]};
const HEAD = {v: oneOf('kith/1'), op: text, kind: oneOf('did', 'policy', 'pair'), time: moment,
              id: (id) => must(/^did:kith:/.test(id) && !isDigest(id.slice(9)), 'id'),
              sigs: list(1, 64, object({k: text, s: text}))};

/** An entry from its blob, with its hash and its signers, whose signatures hold. */
export function parseEntry(blob) {
  must(Buffer.byteLength(blob) <= 16_384, 'too large');
  let entry;
  try { entry = JSON.parse(blob); } catch { throw new Junk('not JSON'); }
  checkValue(entry, 1);
  must(isObject(entry) && canonical(entry) === blob && OPERATIONS[entry.op], 'not canonical');
  const [needed, allowed] = OPERATIONS[entry.op];
  object({...HEAD, ...needed}, allowed)(entry);
  const {kind, ledgers = []} = entry;
  must(distinct(ledgers) && (kind !== 'pair' || ledgers.length === 0), 'ledgers');
  const {sigs, ...unsigned} = entry;
  const told = canonical(unsigned);
  const message = Buffer.concat([Buffer.from('kith-log-v1\n'), sha256(told)]);
  for (const {k, s} of sigs) checkSignature(k, message, s);
  const signers = sigs.map(({k}) => k);
  must(distinct(signers), 'one signer twice');
  return {...entry, text: told, signers, hash: digest(told)};
}
