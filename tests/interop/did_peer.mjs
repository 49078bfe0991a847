// did:peer, numalgo 2, with X25519 and Ed25519 keys: written from the Peer DID Method Specification
// alone, so that it agrees with Kith's only where both follow it.

import {multibase, tagged} from './log_values.mjs';

const CODES = {X25519: [0xec, 0x01], Ed25519: [0xed, 0x01]};
const multikey = ({crv, x}) =>
  multibase(Buffer.from([...CODES[crv], ...Buffer.from(x, 'base64url')]));

function jwkOf(text) {
  for (const [crv, code] of Object.entries(CODES)) {
    const key = tagged(text, Buffer.from(code).readUInt16BE(), 32);
    if (key) return {kty: 'OKP', crv, x: key.toString('base64url')};
  }
  throw new Error(`unknown key ${text}`);
}

/** `agree` and `sign` are pairs of line_peer's newKey; `endpoint` is {uri, routingKeys}, or absent. */
export function makePeer2({agree, sign, endpoint}) {
  let did = `did:peer:2.E${multikey(agree.open)}.V${multikey(sign.open)}`;
  if (endpoint) {
    const service = {t: 'dm', s: {uri: endpoint.uri, a: ['didcomm/v2'], r: endpoint.routingKeys}};
    did += '.S' + Buffer.from(JSON.stringify(service)).toString('base64url');
  }
  return {document: resolvePeer2(did), secrets: [
    {...agree.secret, kid: `${did}#key-1`}, {...sign.secret, kid: `${did}#key-2`}]};
}

export function resolvePeer2(did) {
  const document = {
    id: did, keyAgreement: [], authentication: [], verificationMethod: [], service: []};
  const relations = {E: 'keyAgreement', V: 'authentication'};
  for (const element of did.slice('did:peer:2'.length).split('.').slice(1)) {
    const [purpose, value] = [element[0], element.slice(1)];
    if (purpose === 'S') {
      for (const one of [JSON.parse(Buffer.from(value, 'base64url'))].flat()) {
        document.service.push(service(one, document.service.length));
      }
    } else if (relations[purpose]) {
      const id = `${did}#key-${document.verificationMethod.length + 1}`;
      document.verificationMethod.push(
          {id, type: 'JsonWebKey2020', controller: did, publicKeyJwk: jwkOf(value)});
      document[relations[purpose]].push(id);
    } else {
      throw new Error(`unknown purpose in ${did}`);
    }
  }
  return document;
}

function service(short, index) {
  const {t, s, r, a} = short;
  const long = (one) => ({uri: one.uri, accept: one.a ?? one.accept,
                          routingKeys: one.r ?? one.routing_keys ?? one.routingKeys});
  return {
    id: short.id ?? (index === 0 ? '#service' : `#service-${index}`),
    type: t === 'dm' ? 'DIDCommMessaging' : t ?? short.type,
    serviceEndpoint: typeof s === 'string' ? long({uri: s, r, a}) :
      Array.isArray(s) ? s.map(long) : long(s ?? short.serviceEndpoint),
  };
}
