// did:peer, numalgo 2, with X25519 and Ed25519 keys: written from the Peer DID Method Specification
// alone, so that it agrees with Kith's only where both follow it.

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const CODES = {X25519: [0xec, 0x01], Ed25519: [0xed, 0x01]};

function base58(bytes) {
  let number = BigInt('0x' + Buffer.from(bytes).toString('hex'));
  let text = '';
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = '1' + text;
  }
  return text;
}

function unbase58(text) {
  let number = 0n;
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) throw new Error(`not base58: ${letter}`);
    number = number * 58n + BigInt(digit);
  }
  const hex = number.toString(16);
  const zeros = text.match(/^1*/)[0].length;
  return Buffer.concat(
      [Buffer.alloc(zeros), Buffer.from(hex.length % 2 ? '0' + hex : hex, 'hex')]);
}

const multikey = ({crv, x}) =>
  'z' + base58(Buffer.from([...CODES[crv], ...Buffer.from(x, 'base64url')]));

function jwkOf(text) {
  const bytes = unbase58(text.slice(1));
  const crv = Object.keys(CODES).find((name) => CODES[name].every((code, i) => bytes[i] === code));
  if (!text.startsWith('z') || !crv) throw new Error(`unknown key ${text}`);
  return {kty: 'OKP', crv, x: bytes.subarray(2).toString('base64url')};
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
