// A second reader of checkpoints and cosignatures, written from the texts of C2SP (signed-note,
// tlog-checkpoint, tlog-cosignature) with Node.js and nothing else.
//
//   node cosignature.mjs < CASES
//
// CASES has a line for each signed note: {note (base64), log, witnesses: []}, with verifier keys. Prints
// a line for each: {origin, size, root, witnesses: [{name, time}]} of the log's checkpoint and those
// witnesses that signed it, or {error}: if the log did not sign, or a signature by one of these keys is
// not good. Unknown keys are passed over.

import {createHash, createPublicKey, verify} from 'node:crypto';
import {readFileSync} from 'node:fs';

const ED25519 = 1, COSIGNATURE = 4;
const DER = Buffer.from('302a300506032b6570032100', 'hex');  // SubjectPublicKeyInfo of Ed25519.

function must(holds, what) {
  if (!holds) throw new Error(what);
}
const base64 = (text) => {
  const bytes = Buffer.from(text, 'base64');
  must(bytes.toString('base64') === text, 'base64 in another spelling');
  return bytes;
};

function verifierKey(text) {
  const [name, id, ...rest] = text.split('+');
  const typed = base64(rest.join('+'));
  must(name.length > 0 && typed.length === 33, 'no verifier key');
  const key = {name, type: typed[0], bytes: typed.subarray(1)};
  key.id = createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4);
  must(key.id.toString('hex') === id, 'the id of a verifier key is not its own');
  return key;
}
const isGood = (key, message, signature) => verify(
    null, message, createPublicKey({key: Buffer.concat([DER, key.bytes]), format: 'der', type: 'spki'}),
    signature);

function readNote(text) {
  const end = text.lastIndexOf('\n\n');
  must(end >= 0 && text.endsWith('\n'), 'no signed note');
  const signatures = text.slice(end + 2, -1).split('\n').map((line) => {
    const parts = line.split(' ');
    must(parts.length === 3 && parts[0] === '\u2014', 'no signature line');
    const bytes = base64(parts[2]);
    return {name: parts[1], id: bytes.subarray(0, 4), bytes: bytes.subarray(4)};
  });
  return {body: text.slice(0, end + 1), signatures};
}
const by = (note, key) => note.signatures.filter(
    (line) => line.name === key.name && line.id.equals(key.id));

function checkpoint(note, log) {
  must(log.type === ED25519, 'that is not the key of a log');
  const lines = by(note, log);
  must(lines.length > 0, 'the log did not sign');
  for (const line of lines) must(isGood(log, Buffer.from(note.body), line.bytes), 'the log\'s signature');
  const [origin, size, root, ...more] = note.body.split('\n');
  must(origin === log.name, 'another log\'s checkpoint');
  must(/^(0|[1-9][0-9]*)$/.test(size), 'no size');
  must(base64(root).length === 32, 'no root');
  must(more.length === 1 && more[0] === '', 'lines that are not known');
  return {origin, size: Number(size), root};
}

function cosignedAt(note, witness) {
  must(witness.type === COSIGNATURE, 'that is not the key of a witness');
  const times = by(note, witness).map(({bytes}) => {
    must(bytes.length === 72, 'a cosignature of another length');
    const time = bytes.readBigUInt64BE(0);
    must(time < 1n << 63n, 'a cosignature of no time');
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${note.body}`);
    must(isGood(witness, message, bytes.subarray(8)), `the signature of ${witness.name}`);
    return Number(time);
  });
  return times.length === 0 ? [] : [{name: witness.name, time: Math.min(...times)}];
}

function answer(told) {
  try {
    const note = readNote(Buffer.from(told.note, 'base64').toString('utf8'));
    const read = checkpoint(note, verifierKey(told.log));
    return {...read, witnesses: told.witnesses.flatMap((key) => cosignedAt(note, verifierKey(key)))};
  } catch (error) {
    return {error: error.message};
  }
}
for (const line of readFileSync(0, 'utf8').trimEnd().split('\n')) {
  console.log(JSON.stringify(answer(JSON.parse(line))));
}
