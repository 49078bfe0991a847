// The npm package didcomm-node (didcomm-rust, compiled to WebAssembly), and what it must be told:
// how DIDs resolve and which private keys there are.

import {resolvePeer2} from './did_peer.mjs';
import {load} from './line_peer.mjs';

export const {default: didcomm} = await load('didcomm-node');

// didcomm-node reads one endpoint a service, and only where `accept` and `routingKeys` are written out.
function adapted(document) {
  const service = (document.service ?? []).map((one) => {
    const endpoint = [one.serviceEndpoint].flat()[0];
    const {uri, accept, routingKeys} = typeof endpoint === 'string' ? {uri: endpoint} : endpoint;
    return {id: one.id, type: one.type,
            serviceEndpoint: {uri, accept: accept ?? ['didcomm/v2'], routingKeys: routingKeys ?? []}};
  });
  return {...document, service};
}

export class Wallet {
  documents = new Map();
  secrets = new Map();

  resolver = {
    resolve: async (did) => {
      if (this.documents.has(did)) return adapted(this.documents.get(did));
      return did.startsWith('did:peer:2') ? adapted(resolvePeer2(did)) : null;
    },
  };

  /** A DID document, and its private keys as JWKs with `kid` if they are ours. */
  remember({document, secrets = []}) {
    this.documents.set(document.id, document);
    for (const {kid, ...privateKeyJwk} of secrets) {
      this.secrets.set(kid, {id: kid, type: 'JsonWebKey2020', privateKeyJwk});
    }
  }

  /** The private keys of these DIDs, or all. */
  keys(own) {
    const held = new Map([...this.secrets].filter(([kid]) =>
      own === undefined || own.includes(kid.split('#')[0])));
    return {
      get_secret: async (kid) => held.get(kid) ?? null,
      find_secrets: async (kids) => kids.filter((kid) => held.has(kid)),
    };
  }
}

export const message = (value) =>
  new didcomm.Message({typ: 'application/didcomm-plain+json', ...value});
