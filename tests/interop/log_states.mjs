// What a log is about, and who must sign a change of it (log protocol, section 2, rules 4 and 10):
// a DID document, a policy or the state of a pair.

import {distinct, int, isObject, list, must, object, oneOf, plain, rawKey, same, signedBy,
        signingKey, text, unbase} from './log_entry.mjs';

const did = (value) => must(typeof value === 'string' && value.startsWith('did:'), 'did');

const METHODS = ['authentication', 'assertionMethod', 'keyAgreement', 'capabilityInvocation',
                 'capabilityDelegation'];
function checkDocument(document, id) {
  must(document.id === id, 'another subject');
  const own = (name) => {
    list(0, Infinity, (one) => isObject(one) || text(one))(document[name] ?? []);
    return document[name] ?? [];
  };
  const absolute = (reference) => {
    text(reference);
    return reference.startsWith('#') ? id + reference : reference;
  };
  const used = METHODS.flatMap(own);
  const methods = [...own('verificationMethod'), ...used.filter(isObject)];
  for (const {type, controller} of methods) {
    text(type);
    did(controller);
  }
  for (const {type, serviceEndpoint: endpoint} of own('service')) {
    [type].flat().forEach(text);
    must(typeof endpoint === 'object' || typeof endpoint === 'string', 'endpoint');
  }
  const ids = methods.map((method) => absolute(method.id));
  const all = [...ids, ...own('service').map((service) => absolute(service.id))];
  must(distinct(all) && all.every((one) => one.startsWith(`${id}#`)), 'ids');
  for (const reference of used.filter((one) => !isObject(one)).map(absolute)) {
    did(reference);
    must(ids.includes(reference) || !reference.startsWith(`${id}#`), 'reference');
  }
}

const PROVE = 1n, ADMIN = 8n, KNOWN = 127n, COUNTS = {grant: 34n, revoke: 20n, admin: 72n};
const holds = (agent, bits) => (BigInt(agent.auth) & bits) !== 0n;
const POLICY = object({
  agents: list(1, 64, object({key: signingKey, auth: int(0, 2 ** 53)}, {
    label: (label) => must(typeof label === 'string' && Buffer.byteLength(label) <= 100, 'label'),
    commitment: (commitment) => unbase(commitment, 32)})),
  rules: (rules) => must(isObject(rules), 'rules')}, {set: plain(128)});
function checkPolicy(policy) {
  POLICY(policy);
  const {agents, rules} = policy;
  must(['grant', 'revoke', 'admin'].every((name) => Object.hasOwn(rules, name)), 'rules');
  Object.values(rules).forEach(int(1, 64));
  const names = Object.keys(rules);
  must(names.length <= 16 && names.every((name) => /^[a-z_]{1,32}$/.test(name)), 'rules');
  const committed = agents.filter(({commitment}) => commitment !== undefined);
  must(committed.every((agent) => holds(agent, PROVE)), 'commitment');
  must(distinct(committed.map(({commitment}) => commitment)), 'one commitment twice');
  must(distinct(agents.map(({key}) => key)), 'one agent twice');
  must(agents.filter((agent) => holds(agent, ADMIN)).length >= rules.admin, 'no admins');
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

const PAIR = object({
  agents: list(1, 16, object({auth: signingKey,
                              agree: (key) => rawKey(key, {code: 0xec01, bytes: 32})})),
  service: list(0, 8, object({uri: plain(2048), routing_keys: list(0, 4, (key) => {
    plain(4096)(key);
    did(key);
  })})),
  revoke: int(1, 16), status: oneOf('active', 'disabled', 'decry')});
function checkPair(state) {
  PAIR(state);
  must(distinct(state.agents.flatMap(({auth, agree}) => [auth, agree])), 'one key twice');
  must(state.revoke <= state.agents.length, 'revoke');
}
/** Without the active keys agents leave, or replace their own keys in their places. */
function checkPairUpdate({state, keys}, entry) {
  const [old, now] = [state.agents, entry.state.agents];
  const isAgent = (key) => old.some(({auth}) => auth === key);
  signedBy(entry, 1, (key) => isAgent(key) || keys.k.includes(key));
  const stays = (agent) => now.some((one) => same(one, agent));
  const replaced = (agent, i) => same(agent, now[i]) || (entry.signers.includes(agent.auth) &&
    (now[i].auth === agent.auth || !isAgent(now[i].auth)));
  const left = old.length > now.length && same(now, old.filter(stays));
  const agentsAlone = left || (old.length === now.length && !same(old, now) && old.every(replaced));
  const rest = (one) => ({...one, agents: 0});
  const signed = entry.signers.filter((key) => keys.k.includes(key)).length;
  must((agentsAlone && same(rest(state), rest(entry.state))) || signed >= keys.t, 'active keys');
  const bySelf = old.every((agent) => stays(agent) || entry.signers.includes(agent.auth));
  must(bySelf || entry.signers.filter(isAgent).length >= state.revoke, 'not enough agents');
}

const CHECKS = {did: checkDocument, policy: checkPolicy, pair: checkPair};
export const checkState = ({kind, state, id}) => CHECKS[kind](state, id);
/** `before` is the content that the update changes. */
export function checkUpdate(before, entry) {
  if (entry.kind === 'policy') return checkPolicyUpdate(before, entry);
  if (entry.kind === 'pair') return checkPairUpdate(before, entry);
  return signedBy(entry, before.keys.t, (key) => before.keys.k.includes(key));
}
