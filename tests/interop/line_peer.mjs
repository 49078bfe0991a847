// What all peers share: one JSON command a line on stdin, one JSON answer a line on stdout, and keys
// made with Node's own cryptography. A peer is an object of async functions, one for each command.
//
//   {"do": "party", "did": ..., "agree": ["X25519"], "sign": ["Ed25519"], "services": []}
//     -> {"document": ..., "secrets": [private JWKs with kid]}

import {generateKeyPairSync} from 'node:crypto';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {pathToFileURL} from 'node:url';

const CURVES = {
  'X25519': ['x25519'],
  'Ed25519': ['ed25519'],
  'P-256': ['ec', {namedCurve: 'P-256'}],
  'P-384': ['ec', {namedCurve: 'P-384'}],
  'P-521': ['ec', {namedCurve: 'P-521'}],
  'secp256k1': ['ec', {namedCurve: 'secp256k1'}],
};

/** A package from the directory that KITH_INTEROP_PACKAGES names. */
export async function load(name) {
  const anchor = join(process.env.KITH_INTEROP_PACKAGES, 'package.json');
  return import(pathToFileURL(createRequire(anchor).resolve(name)));
}

/** A new pair: the public JWK and the private one. */
export function newKey(curve) {
  const {publicKey, privateKey} = generateKeyPairSync(...CURVES[curve]);
  return {open: publicKey.export({format: 'jwk'}), secret: privateKey.export({format: 'jwk'})};
}

/** A DID document with fresh keys, and the private keys. `services` go in as they are. */
export function party({did, agree = [], sign = [], services = []}) {
  const document = {
    id: did, keyAgreement: [], authentication: [], verificationMethod: [], service: services};
  const secrets = [];
  const add = (curve, relation) => {
    const id = `${did}#key-${document.verificationMethod.length + 1}`;
    const {open, secret} = newKey(curve);
    document.verificationMethod.push(
        {id, type: 'JsonWebKey2020', controller: did, publicKeyJwk: open});
    document[relation].push(id);
    secrets.push({...secret, kid: id});
  };
  for (const curve of agree) add(curve, 'keyAgreement');
  for (const curve of sign) add(curve, 'authentication');
  return {document, secrets};
}

/** Answers commands until stdin ends. An answer is {"ok": ...} or {"error": {"name", "message"}}. */
export async function serve(commands) {
  for await (const line of createInterface({input: process.stdin})) {
    let answer;
    try {
      const {do: name, ...args} = JSON.parse(line);
      if (!Object.hasOwn(commands, name)) throw new Error(`no such command: ${name}`);
      answer = {ok: await commands[name](args) ?? {}};
    } catch (error) {
      answer = {error: {name: error?.name ?? 'Error', message: error?.message ?? String(error)}};
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
}
