// @veramo/did-comm as a process that packs and unpacks. Its plugin runs as it is; the agent around it
// is only what the plugin asks for: documents, keys by their name, agreement and signatures.

import {createPrivateKey, createPublicKey, diffieHellman, sign} from 'node:crypto';
import {load, party, serve} from './line_peer.mjs';

const {DIDComm} = await load('@veramo/did-comm');

const documents = new Map();
const keys = new Map();  // kid -> {jwk, key as Veramo names it}

const hex = (text) => Buffer.from(text, 'base64url').toString('hex');

function remember({document, secrets = []}) {
  documents.set(document.id, document);
  for (const jwk of secrets) {
    keys.set(jwk.kid, {jwk, key: {
      kid: jwk.kid, kms: 'local', type: jwk.crv, publicKeyHex: hex(jwk.x)}});
  }
}

const context = {agent: {
  resolveDid: async ({didUrl}) => {
    const did = didUrl.split('#')[0];
    if (!documents.has(did)) return {didDocument: null, didResolutionMetadata: {error: 'notFound'}};
    return {didDocument: documents.get(did), didResolutionMetadata: {}, didDocumentMetadata: {}};
  },
  getDIDComponentById: async ({didDocument, didUrl}) =>
    didDocument.verificationMethod.find(({id}) => id === didUrl),
  didManagerGet: async ({did}) => {
    const own = [...keys.values()].filter(({key}) => key.kid.startsWith(did + '#'));
    if (own.length === 0) throw new Error(`not_found: ${did}`);
    return {did, provider: 'did:example', keys: own.map(({key}) => key), services: []};
  },
  keyManagerSharedSecret: async ({secretKeyRef, publicKey}) => diffieHellman({
    privateKey: createPrivateKey({key: keys.get(secretKeyRef).jwk, format: 'jwk'}),
    publicKey: createPublicKey({format: 'jwk', key: {
      kty: 'OKP', crv: 'X25519', x: Buffer.from(publicKey.publicKeyHex, 'hex').toString('base64url')}}),
  }).toString('hex'),
  keyManagerSign: async ({data, keyRef}) => sign(null, Buffer.from(data),
      createPrivateKey({key: keys.get(keyRef).jwk, format: 'jwk'})).toString('base64url'),
}};

const plugin = new DIDComm({transports: []});

await serve({
  party: async (args) => {
    const made = party(args);
    remember(made);
    return made;
  },
  pack: async ({message, packing, options}) => {
    const packed = await plugin.packDIDCommMessage({message, packing, options}, context);
    return {envelope: packed.message};
  },
  unpack: async ({envelope}) => {
    const {message, metaData} = await plugin.unpackDIDCommMessage({message: envelope}, context);
    return {message, packing: metaData.packing};
  },
});
