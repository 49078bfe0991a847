// What entries of logs are made of, below the rules between them: canonical JSON (RFC 8785),
// base58btc, Multikey and signatures, shapes of values and of what a log is about; with Node.js and
// nothing else. What is wrong with a value makes the answer null or false.

import {createHash, createPublicKey, verify} from 'node:crypto';

export const isText = (value) => typeof value === 'string' && value !== '';
export const isObject = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 8785. What no entry may contain leaves a gap, so that the text is not the entry's. */
export function canonical(value, depth = 1) {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? `${value}` : '';
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? '' : JSON.stringify(value);
  if (typeof value !== 'object') return `${value}`;
  if (value === null || depth > 16) return '';
  const inner = (one) => canonical(one, depth + 1);
  if (Array.isArray(value)) return `[${value.map(inner).join()}]`;
  const member = (name) => `${/^[\0-\x7f]*$/.test(name) ? inner(name) : ''}:${inner(value[name])}`;
  return `{${Object.keys(value).sort().map(member).join()}}`;
}
/** A value that is written in no other way. */
export function parse(text) {
  try {
    const value = JSON.parse(text);
    return canonical(value) === text ? value : null;
  } catch { return null; }
}
export const same = (one, other) => canonical(one) === canonical(other);
const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
export function multibase(bytes) {
  let digits = '', rest = BigInt(`0x${bytes.toString('hex')}`);
  for (; rest > 0n; rest /= 58n) digits = DIGITS[rest % 58n] + digits;
  return `z${'1'.repeat([...bytes, 1].findIndex((byte) => byte !== 0))}${digits}`;
}
export function unbase(text, size) {
  const add = (sum, digit) => sum * 58n + BigInt(DIGITS.indexOf(digit));
  const hex = [...`${text}`].slice(1).reduce(add, 0n).toString(16);
  const bytes = Buffer.from(hex.padStart(2 * size, '0'), 'hex');
  return bytes.length === size && multibase(bytes) === text ? bytes : null;
}
/** The bytes after the two that say what they are. */
export function tagged(text, tag, size) {
  const bytes = unbase(text, size + 2);
  return bytes?.readUInt16BE() === tag ? bytes.subarray(2) : null;
}
export const sha256 = (data) => createHash('sha256').update(data).digest();
export const digest = (data) => multibase(Buffer.concat([Buffer.from([0x12, 0x20]), sha256(data)]));
export const isDigest = (text) => tagged(text, 0x1220, 32) !== null;
const HALF_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n / 2n;
const ED25519 = '302a300506032b6570032100';  // What comes before the key in a SubjectPublicKeyInfo.
const SECP256K1 = '3036301006072a8648ce3d020106052b8104000a032200';
/** Of an Ed25519 or secp256k1 Multikey. */
function publicKey(text) {
  const [ed25519, secp256k1] = [tagged(text, 0xed01, 32), tagged(text, 0xe701, 33)];
  const head = ed25519 ? ED25519 : SECP256K1, raw = ed25519 ?? secp256k1 ?? Buffer.alloc(0);
  const key = Buffer.from(head + raw.toString('hex'), 'hex');
  try { return createPublicKey({key, format: 'der', type: 'spki'}); } catch { return null; }
}
export const isKey = (text) => publicKey(text) !== null;
/** Rule 11: by the Multikey `k`; the s of secp256k1 is the low one. */
export function isSigned(message, {k, s}) {
  const [key, bytes] = [publicKey(k), unbase(s, 64)];
  if (!key || !bytes) return false;
  if (key.asymmetricKeyType === 'ed25519') return verify(null, message, key, bytes);
  return BigInt(`0x${bytes.toString('hex', 32)}`) <= HALF_ORDER &&
    verify('sha256', message, {key, dsaEncoding: 'ieee-p1363'}, bytes);
}

// Shapes: a test, [shape, least, most] for lists, {member: shape}

export const distinct = (items) => new Set(items).size === items.length;
export function fits(value, shape) {
  if (typeof shape === 'function') return shape(value);
  const [item, least, most] = Array.isArray(shape) ? shape : [];
  if (item) return Array.isArray(value) && int(least, most)(value.length) &&
    value.every((one) => fits(one, item));
  return isObject(value) && Object.keys(value).every((name) => Object.hasOwn(shape, name)) &&
    Object.entries(shape).every(([name, member]) => fits(value[name], member));
}
export const random = (value) => unbase(value, 32) !== null;
export const optional = (shape) => (value) => value === undefined || fits(value, shape);
export const oneOf = (...values) => (value) => values.includes(value);
export const int = (low, high) => (value) =>
  Number.isSafeInteger(value) && value >= low && value <= high;
export const plain = (most) => (value) =>
  isText(value) && value.length <= most && /^[!-~]+$/.test(value);
/** Such as 2026-11-22T01:00:00Z, and a day that there was. */
export const isMoment = (text) => isText(text) && Date.parse(text) >= 0 &&
  `${new Date(text).toISOString().slice(0, 19)}Z` === text;

// What a log is about (rule 10): a DID document (types, ids of its own, references that resolve), a
// policy, the state of a pair

const RELATIONS = ['authentication', 'assertionMethod', 'keyAgreement', 'capabilityInvocation',
                   'capabilityDelegation'];
export function isDocument(document, id) {
  const of = (name) => document[name] ?? [];
  if (![...RELATIONS, 'verificationMethod', 'service'].map(of).every(Array.isArray)) return false;
  const used = RELATIONS.flatMap(of), services = of('service');
  const methods = [...of('verificationMethod'), ...used.filter(isObject)];
  const absolute = (name) => (`${name}`.startsWith('#') ? id + name : `${name}`);
  const ids = [...methods, ...services].map((one) => absolute(one.id));
  const isOwn = (name) => name.startsWith(`${id}#`);
  const isDid = (name) => isText(name) && name.startsWith('did:');
  const isGoodReference = (name) => isDid(name) && (!isOwn(name) || ids.includes(name));
  return document.id === id && distinct(ids) && ids.every(isOwn) &&
    methods.every(({type, controller}) => isText(type) && isDid(controller)) &&
    services.every(({type, serviceEndpoint: address}) =>
      [type].flat().every(isText) && /string|object/.test(typeof address)) &&
    used.filter((one) => !isObject(one)).map(absolute).every(isGoodReference);
}
const PROVE = 1n, ADMIN = 8n, holds = ({auth}, bit) => (BigInt(auth) & bit) !== 0n;
const isLabel = (text) => typeof text === 'string' && Buffer.byteLength(text) <= 100;
const AGENT = {key: isKey, auth: int(0, 2 ** 53), label: optional(isLabel),
               commitment: optional(random)};
const isRule = ([name, m]) => /^[a-z_]{1,32}$/.test(name) && int(1, 64)(m);
const isRules = (rules) => isObject(rules) && Object.entries(rules).every(isRule) &&
  int(3, 16)(Object.keys(rules).length) && rules.grant && rules.revoke && rules.admin;
const POLICY = {agents: [AGENT, 1, 64], rules: isRules, set: optional(plain(128))};
export function isPolicy(policy) {
  if (!fits(policy, POLICY)) return false;
  const {agents, rules} = policy;
  const committed = agents.filter(({commitment}) => commitment);
  return committed.every((agent) => holds(agent, PROVE)) && distinct(agents.map(({key}) => key)) &&
    distinct(committed.map(({commitment}) => commitment)) &&
    agents.filter((agent) => holds(agent, ADMIN)).length >= rules.admin;
}
const isRoutingKey = (key) => plain(4096)(key) && /^did:/.test(key);
const PAIR = {agents: [{auth: isKey, agree: (key) => tagged(key, 0xec01, 32)}, 1, 16],
  service: [{uri: plain(2048), routing_keys: [isRoutingKey, 0, 4]}, 0, 8],
  revoke: int(1, 16), status: oneOf('active', 'disabled', 'decry')};
export const isPair = (state) => fits(state, PAIR) && state.revoke <= state.agents.length &&
  distinct(state.agents.flatMap(({auth, agree}) => [auth, agree]));
