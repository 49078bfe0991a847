// What a log is about, and who must sign a change of it (log protocol, section 2, rules 4 and 10):
// a DID document, a policy or the state of a pair.

import {distinct, isInt, isObject, isPlain, isText, list, members, must, rawKey, same, signedBy,
        signingKey, unbase} from './log_entry.mjs';

const LIST_MAX = 64;
const isDid = (text) => isText(text) && text.startsWith('did:');
const METHODS = ['authentication', 'assertionMethod', 'keyAgreement', 'capabilityInvocation',
                 'capabilityDelegation'];
function checkDocument(document, did) {
  must(isObject(document) && document.id === did, 'another subject');
  const own = (name) => {
    list(document[name] ?? [], 0, Infinity, (one) => must(isText(one) || isObject(one), name));
    return document[name] ?? [];
  };
  const absolute = (id) => {
    must(isText(id), 'id');
    return id.startsWith('#') ? did + id : id;
  };
  const used = METHODS.flatMap(own);
  const methods = [...own('verificationMethod'), ...used.filter((one) => !isText(one))];
  must(methods.every(({type, controller}) => isText(type) && isDid(controller)), 'method');
  const types = own('service').flatMap(({type}) => type);
  const isEndpoint = (value) => typeof value === 'object' || typeof value === 'string';
  const endpoints = own('service').map(({serviceEndpoint}) => serviceEndpoint);
  must(types.every(isText) && endpoints.every(isEndpoint), 'service');
  const ids = methods.map(({id}) => absolute(id));
  const all = [...ids, ...own('service').map(({id}) => absolute(id))];
  must(distinct(all) && all.every((id) => id.startsWith(`${did}#`)), 'ids');
  const resolves = (id) => ids.includes(id) || (isDid(id) && !id.startsWith(`${did}#`));
  must(used.filter(isText).map(absolute).every(resolves), 'reference');
}

const PROVE = 1n, ADMIN = 8n, KNOWN = 127n, COUNTS = {grant: 34n, revoke: 20n, admin: 72n};
const isName = (text) => typeof text === 'string' && Buffer.byteLength(text) <= 100;
const holds = (agent, bits) => (BigInt(agent?.auth ?? 0) & bits) !== 0n;
function checkPolicy(policy) {
  members(policy, ['agents', 'rules'], ['set']);
  list(policy.agents, 1, LIST_MAX, (agent) => {
    members(agent, ['key', 'auth'], ['label', 'commitment']);
    signingKey(agent.key);
    must(isInt(agent.auth, 0, 2 ** 53) && isName(agent.label ?? ''), 'agent');
    if (agent.commitment !== undefined) unbase(agent.commitment, 32);
    must(agent.commitment === undefined || holds(agent, PROVE), 'commitment');
  });
  const commitments = policy.agents.map((one) => one.commitment).filter(isText);
  must(distinct(policy.agents.map(({key}) => key)) && distinct(commitments), 'one agent twice');
  must(isObject(policy.rules), 'rules');
  const rules = Object.entries(policy.rules);
  must(rules.length <= 16 && rules.every(([, m]) => isInt(m, 1, LIST_MAX)), 'rules');
  must(rules.every(([name]) => /^[a-z_]{1,32}$/.test(name)), 'names of rules');
  must(Object.keys(COUNTS).every((rule) => Object.hasOwn(policy.rules, rule)), 'rules');
  must(policy.agents.filter((one) => holds(one, ADMIN)).length >= policy.rules.admin, 'no admins');
  must(isPlain(policy.set ?? '-', 128), 'set');
}
/** Pairs of the rule that a change asks for and the agent that may make it alone. */
function policyChanges(before, after) {
  const changes = [];
  const find = (policy, key) => policy.agents.find((one) => one.key === key);
  const order = (one, other) => one.agents.map(({key}) => key).filter((key) => find(other, key));
  const rest = (one, other) => [one.rules, one.set ?? '', order(one, other)];
  if (!same(rest(before, after), rest(after, before))) changes.push(['admin']);
  for (const key of new Set([...before.agents, ...after.agents].map((one) => one.key))) {
    const [old, now] = [find(before, key), find(after, key)];
    const lost = BigInt(old?.auth ?? 0) & ~BigInt(now?.auth ?? 0);
    const gained = BigInt(now?.auth ?? 0) & ~BigInt(old?.auth ?? 0);
    must((gained & ~KNOWN) === 0n, 'an unknown bit is never granted');
    const moved = old?.commitment !== now?.commitment;
    if (gained & PROVE || (moved && now?.commitment)) changes.push(['grant']);
    if (lost & PROVE || (moved && old?.commitment)) changes.push(['revoke', key]);
    if (gained & ~PROVE) changes.push(['admin']);
    if (lost & ~PROVE) changes.push(['admin', key]);
    const bare = !lost && !gained;  // Of one that is new or gone: without bits.
    if (old && now ? old.label !== now.label : bare) changes.push(['admin', now ? '' : key]);
  }
  return changes.length > 0 ? changes : [['admin']];
}
function checkPolicyUpdate(before, entry) {
  signedBy(entry, 1, (key) => before.state.agents.some((one) => one.key === key));
  const agents = before.state.agents.filter(({key}) => entry.signers.includes(key));
  for (const [rule, self] of policyChanges(before.state, entry.state)) {
    const signed = agents.filter((one) => holds(one, COUNTS[rule])).length;
    const alone = agents.some(({key}) => key === self);
    must(alone || signed >= before.state.rules[rule], `not enough agents for ${rule}`);
  }
}

function checkPair(state) {
  members(state, ['agents', 'revoke', 'service', 'status']);
  list(state.agents, 1, 16, (agent) => {
    members(agent, ['agree', 'auth']);
    signingKey(agent.auth);
    rawKey(agent.agree, {code: 0xec01, bytes: 32});
  });
  must(distinct(state.agents.flatMap(({auth, agree}) => [auth, agree])), 'one key twice');
  list(state.service, 0, 8, (service) => {
    members(service, ['uri', 'routing_keys']);
    must(isPlain(service.uri, 2048), 'uri');
    list(service.routing_keys, 0, 4, (key) => must(isPlain(key, 4096) && isDid(key), 'did'));
  });
  must(isInt(state.revoke, 1, state.agents.length), 'revoke');
  must(['active', 'disabled', 'decry'].includes(state.status), 'status');
}
function checkPairUpdate({state, keys}, entry) {
  const [old, now] = [state.agents, entry.state.agents];
  const isAgent = (key) => old.some(({auth}) => auth === key);
  signedBy(entry, 1, (key) => isAgent(key) || keys.k.includes(key));
  const among = (agents) => (agent) => agents.some((one) => same(one, agent));
  const gone = old.filter((agent) => !among(now)(agent));
  const came = now.filter((agent) => !among(old)(agent));
  // Agents left and none came, or each that came has the place of one that is gone.
  const left = same(now, old.filter(among(now)));
  const replaced = old.length === now.length && old.every(
      (agent, i) => same(agent, now[i]) || (gone.includes(agent) && came.includes(now[i])));
  const restStays = same({...entry.state, agents: 0}, {...state, agents: 0});
  const bySelf = gone.every(({auth}) => entry.signers.includes(auth));
  must(bySelf || entry.signers.filter(isAgent).length >= state.revoke, 'not enough agents');
  const signed = entry.signers.filter((key) => keys.k.includes(key)).length;
  const agentsAlone = restStays && gone.length > 0 && (left || replaced);
  must(agentsAlone || signed >= keys.t, 'not enough active keys');
}

const CHECKS = {did: checkDocument, policy: checkPolicy, pair: checkPair};
export const checkState = ({kind, state, id}) => CHECKS[kind](state, id);
/** `before` is the content that the update changes. */
export function checkUpdate(before, entry) {
  if (entry.kind === 'policy') return checkPolicyUpdate(before, entry);
  if (entry.kind === 'pair') return checkPairUpdate(before, entry);
  return signedBy(entry, before.keys.t, (key) => before.keys.k.includes(key));
}
