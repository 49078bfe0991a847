// A whole agent on didcomm-node: it gets mediation from a mediator, is written to, goes away, comes
// back and fetches its mail, or waits for it on a WebSocket. One process is one session; what must
// outlive it goes out by `save` and in by `restore`.
//
// The agent has two DIDs: one that only the mediator sees, and one for everybody else, whose service
// is the mediator's DID.

import {randomUUID} from 'node:crypto';
import {didcomm, message, Wallet} from './didcomm_node.mjs';
import {makePeer2, resolvePeer2} from './did_peer.mjs';
import {load, newKey, serve} from './line_peer.mjs';

const ENVELOPE = 'application/didcomm-encrypted+json';
const DEADLINE_MS = 30_000;
const PICKUPS = {
  '3.0': {prefix: 'https://didcomm.org/messagepickup/3.0/', limit: 'limit', confirms: true},
  '4.0': {prefix: 'https://didcomm.org/message-pickup/4.0/', limit: 'message_count_limit',
          confirms: false},
};
const MEDIATION = 'https://didcomm.org/coordinate-mediation/';
const DIALECTS = {
  '2.0': {update: 'keylist-update', query: 'keylist-query', list: 'keys'},
  '3.0': {update: 'recipient-update', query: 'recipient-query', list: 'dids'},
};

const wallet = new Wallet();
let state = {};  // {mediator, mine, did, version, pickup, secrets}
let socket = null;
let arrived = [];     // Live messages that nobody has asked for yet.
let wake = () => {};  // Called when one arrives.

const pickup = (name) => PICKUPS[state.pickup].prefix + name;

function newDid(endpoint) {
  const made = makePeer2({agree: newKey('X25519'), sign: newKey('Ed25519'), endpoint});
  wallet.remember(made);
  (state.secrets ??= []).push(...made.secrets);
  return made.document.id;
}

async function pack(type, body, {from, to, ...headers}, options) {
  const plain = {id: randomUUID(), type, body, from, to: [to],
                 created_time: Math.floor(Date.now() / 1000), ...headers};
  const [envelope, metadata] = await message(plain).pack_encrypted(
      to, from ?? null, null, wallet.resolver, wallet.keys(), options);
  return {id: plain.id, envelope, url: metadata.messaging_service?.service_endpoint};
}

async function open(envelope) {
  const [opened, metadata] = await didcomm.Message.unpack(
      typeof envelope === 'string' ? envelope : JSON.stringify(envelope), wallet.resolver,
      wallet.keys(), {});
  return {message: opened.as_value(), metadata};
}

async function post(url, envelope) {
  const response = await fetch(url, {method: 'POST', headers: {'content-type': ENVELOPE},
                                     body: envelope, signal: AbortSignal.timeout(DEADLINE_MS)});
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return {status: response.status, text};
}

const addresses = (did) =>
  resolvePeer2(did).service.flatMap((one) => [one.serviceEndpoint].flat()).map((one) => one.uri);
const address = (scheme) => addresses(state.mediator).find((uri) => uri.startsWith(scheme));

/** Asks the mediator; its answer comes back in the answer to the request. */
async function ask(type, body) {
  const {id, envelope} = await pack(
      type, body, {from: state.mine, to: state.mediator, return_route: 'all'}, {forward: false});
  const {status, text} = await post(address('http'), envelope);
  if (status !== 200) throw new Error(`no answer to ${type}: ${status}`);
  const {message: answer, metadata} = await open(text);
  if (!metadata.authenticated || answer.from !== state.mediator) throw new Error('who answers?');
  // A problem report starts a thread of its own below the one it is about.
  const problem = answer.type === 'https://didcomm.org/report-problem/2.0/problem-report';
  const thread = problem ? answer.pthid : answer.thid;
  if (thread !== id) throw new Error(`the answer belongs to ${thread}`);
  if (problem) throw Object.assign(new Error(answer.body.code), {name: 'ProblemReport'});
  return answer;
}

async function expect(type, body, answerType) {
  const answer = await ask(type, body);
  if (answer.type !== answerType) throw new Error(`${answer.type} instead of ${answerType}`);
  return answer.body;
}

async function opened(attachments) {
  const mails = [];
  for (const {id, data} of attachments) {
    const envelope = data.json ?? Buffer.from(data.base64, 'base64url').toString();
    mails.push({mail: id, ...await open(envelope)});
  }
  return mails;
}

/** One frame of the WebSocket: mail, or the status after a change. */
async function frame(data) {
  const {message: got} = await open(data.toString());
  if (got.from !== state.mediator) throw new Error('who sends?');
  if (got.type === pickup('delivery')) {
    const mails = await opened(got.attachments);
    await overSocket('messages-received', {message_id_list: mails.map(({mail}) => mail)});
    arrived.push(...mails);
  } else {
    arrived.push({message: got});
  }
  wake();
}

async function overSocket(name, body, headers = {}) {
  const {envelope} = await pack(
      pickup(name), body, {from: state.mine, to: state.mediator, ...headers}, {forward: false});
  socket.send(envelope);
}

async function receipt(mails) {
  const body = {message_id_list: mails.map(({mail}) => mail)};
  if (PICKUPS[state.pickup].confirms) {
    await expect(pickup('messages-received'), body, pickup('status'));
    return;
  }
  const {envelope} = await pack(
      pickup('messages-received'), body, {from: state.mine, to: state.mediator},
      {forward: false});
  const {status, text} = await post(address('http'), envelope);
  if (status !== 202 || text !== '') throw new Error(`a receipt was answered: ${status} ${text}`);
}

/** The first thing that arrives on the socket and fits. */
async function next(fits) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const index = arrived.findIndex(fits);
    if (index >= 0) return arrived.splice(index, 1)[0];
    if (Date.now() > end) throw new Error('nothing arrived');
    let timer;
    await new Promise((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, end - Date.now());
    });
    clearTimeout(timer);
  }
}

await serve({
  /** Takes the invitation of the mediator at `url`, asks for mediation, registers a DID. */
  mediate: async ({url, version, pickup: spoken}) => {
    const {invitation} = await (await fetch(new URL('invitation', url))).json();
    if (invitation?.type !== 'https://didcomm.org/out-of-band/2.0/invitation') {
      throw new Error(`no invitation: ${JSON.stringify(invitation)}`);
    }
    const prefix = `${MEDIATION}${version}/`;
    const dialect = DIALECTS[version];
    state = {...state, version, pickup: spoken, mediator: invitation.from};
    state.mine = newDid();
    const granted = await expect(prefix + 'mediate-request', {}, prefix + 'mediate-grant');
    const routing = [granted.routing_did].flat()[0];
    state.did = newDid({uri: routing, routingKeys: []});
    const answer = await expect(
        prefix + dialect.update, {updates: [{recipient_did: state.did, action: 'add'}]},
        prefix + dialect.update + '-response');
    return {did: state.did, routing, goal: invitation.body.goal_code, updated: answer.updated,
            granted};
  },
  registered: async () => {
    const {query, list} = DIALECTS[state.version];
    const answer = await ask(`${MEDIATION}${state.version}/${query}`, {});
    return {dids: answer.body[list].map((one) => one.recipient_did)};
  },
  /** Any request to the mediator, for its refusals. */
  ask: async ({type, body}) => await ask(type, body),
  send: async ({type, body, to}) => {
    const {id, envelope, url} =
        await pack(type, body, {from: state.did, to}, {forward: true});
    return {id, ...await post(url, envelope)};
  },
  status: async () => await expect(pickup('status-request'), {}, pickup('status')),
  pickup: async () => {
    const mails = [];
    for (;;) {
      const answer = await ask(pickup('delivery-request'), {[PICKUPS[state.pickup].limit]: 2});
      if (answer.type === pickup('status')) return {mails, status: answer.body};
      const batch = await opened(answer.attachments);
      if (batch.length === 0) {
        return {mails, status: await expect(pickup('status-request'), {}, pickup('status'))};
      }
      mails.push(...batch);
      await receipt(batch);
    }
  },
  live: async () => {
    const {default: WebSocket} = await load('ws');
    socket = new WebSocket(address('ws'), {handshakeTimeout: DEADLINE_MS});
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.on('message', (data) => {
      frame(data).catch((error) => {
        arrived.push({error: error?.message ?? String(error)});
        wake();
      });
    });
    // Said once: it holds for all that follows on this socket.
    await overSocket('status-request', {}, {return_route: 'all'});
    const before = await next((one) => one.message?.type === pickup('status'));
    if (before.message.body.live_delivery) throw new Error('live before it was asked for');
    await overSocket('live-delivery-change', {live_delivery: true});
    return (await next((one) => one.message?.type === pickup('status'))).message.body;
  },
  next_live: async () => await next((one) => one.mail || one.error),
  close: async () => {
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
    socket = null;
  },
  save: async () => state,
  restore: async ({saved}) => {
    state = saved;
    for (const did of [state.mine, state.did]) {
      wallet.remember({document: resolvePeer2(did),
                       secrets: state.secrets.filter(({kid}) => kid.startsWith(did + '#'))});
    }
  },
});
socket?.terminate();
