#include "recovery/agent_pairing.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/proposal.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "recovery/agent_limits.hpp"
#include "recovery/agent_pairing_steps.hpp"
#include "recovery/messages.hpp"
#include "recovery/own_agents.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kPairings = "agent-pairing";
constexpr std::string_view kHello = "hello";
constexpr std::string_view kNonce = "nonce";
constexpr std::string_view kReveal = "reveal";
constexpr std::string_view kWelcome = "welcome";
constexpr std::string_view kAdmitted = "admitted";
constexpr std::string_view kFailed = "failed";
constexpr Duration kPairingRepeat{5'000};
constexpr Duration kPairingRepeatTest{1'000};
constexpr Duration kPairingRepeatMax{600'000};

struct AgentHello {
  Bytes pairing;  ///< 16 random bytes.
  PublicKey session_key;
  Bytes commitment;
  template <class V>
  void visit(V& v) {
    v("pairing", pairing), v("session_key", session_key), v("commitment", commitment);
  }
};
/// nonce, reveal, welcome, admitted and failed: the pairing, and one value where there is one.
struct AgentStep {
  Bytes pairing;
  Bytes value;
  template <class V>
  void visit(V& v) {
    v("pairing", pairing), v("value", value);
  }
};

Result<void> send_to(Host& host, const Contact& contact, const Pairing& pairing,
                     std::string_view name, JsonObject body) {
  TRY(Message message, protocol::message_to(host, contact, type_uri("agent", name)));
  message.thid = crypto::hex(pairing.id);
  message.body = std::move(body);
  protocol::SendOptions options;
  options.life = agent_limits::kPairingLife;
  TRY(const std::string id, protocol::send(host, std::move(message), options));
  return {};
}

Result<void> send_value(Host& host, const Contact& contact, const Pairing& pairing,
                        std::string_view name, ByteView value) {
  return send_to(host, contact, pairing, name,
                 protocol::encode_body(
                     AgentStep{crypto::to_bytes(pairing.id), Bytes(value.begin(), value.end())}));
}

/// What the other side has not shown to have, if anything.
Result<void> send_outstanding(Host& host, const Contact& contact, const Pairing& pairing) {
  if (pairing.adds) {
    if (pairing.step != PairingStep::welcomed) return {};
    return send_value(host, contact, pairing, kWelcome, pairing.welcome);
  }
  switch (pairing.step) {
    case PairingStep::asked: {
      TRY(const CodeTranscript transcript, pairing_transcript(host, contact, pairing));
      const Digest commitment = code_commitment(pairing.nonce, transcript);
      const AgentHello hello{crypto::to_bytes(pairing.id), *pairing.session_key,
                             crypto::to_bytes(commitment)};
      return send_to(host, contact, pairing, kHello, protocol::encode_body(hello));
    }
    case PairingStep::coded:
      return send_value(host, contact, pairing, kReveal, pairing.nonce);
    case PairingStep::joined: {
      TRY(const AgentJoined joined, make_joined(host, contact));
      return send_to(host, contact, pairing, AgentJoined::kName, protocol::encode_body(joined));
    }
    default:
      return {};
  }
}

void repeat_later(Host& host, Pairing& pairing) {
  const Duration first = host.test_mode() ? kPairingRepeatTest : kPairingRepeat;
  const Duration pause =
      std::min(first * (1 << std::min<std::uint32_t>(pairing.tries, 8)), kPairingRepeatMax);
  ++pairing.tries;
  host.set_timer(protocol::kOwnAgentsModule, repeat_timer(pairing.contact_id), host.now() + pause);
}

void end_pairing(Host& host, Pairing pairing, PairingStep step, std::string problem) {
  pairing.step = step;
  pairing.problem = std::move(problem);
  pairing.session_own.reset();
  pairing.welcome.clear();
  pairing.codes = {};
  save_pairing(host, pairing);
  host.cancel_timer(protocol::kOwnAgentsModule, repeat_timer(pairing.contact_id));
}

/// Nothing came of it: the relationship ends with it.
void close_pairing(Host& host, const Pairing& pairing, const std::string& problem) {
  end_pairing(host, pairing, PairingStep::failed, problem);
  host.audit("agent.pairing-failed", {{"contact", pairing.contact_id}});
  const auto contact = protocol::find_contact(host, pairing.contact_id);
  if (contact && contact->state != ContactState::ended) {
    static_cast<void>(ledger::end_contact(host, *contact));
  }
}

Result<void> check_pairing(const Pairing& pairing, ByteView id) {
  if (!std::ranges::equal(pairing.id, id)) return fail(Errc::wrong_state, "another pairing");
  return {};
}

Result<CodeNonce> read_nonce(const Bytes& value) {
  CodeNonce nonce{};
  if (value.size() != nonce.size()) return fail(Errc::malformed, "a nonce has 32 bytes");
  std::ranges::copy(value, nonce.begin());
  return nonce;
}

Result<void> keep_waiting(Host& host, const Pairing& pairing) {
  save_pairing(host, pairing);
  return {};
}

// --- Messages

Result<void> on_hello(Host& host, const Inbound& inbound, const Contact& contact, Pairing pairing) {
  TRY(const auto hello, protocol::decode_body<AgentHello>(inbound.message.body));
  if (!pairing.adds || hello.pairing.size() != pairing.id.size() ||
      hello.commitment.size() != pairing.commitment.size()) {
    return fail(Errc::malformed, "not a hello of a new device");
  }
  if (pairing.step == PairingStep::connecting) {
    std::ranges::copy(hello.pairing, pairing.id.begin());
    std::ranges::copy(hello.commitment, pairing.commitment.begin());
    pairing.session_key = hello.session_key;
    pairing.nonce = random_id<CodeNonce>(host.random());
    pairing.step = PairingStep::asked;
    save_pairing(host, pairing);
  }
  CHECK(check_pairing(pairing, hello.pairing));  // The first one counts: codes are fixed.
  return send_value(host, contact, pairing, kNonce, pairing.nonce);
}

Result<void> on_nonce(Host& host, const AgentStep& step, const Contact& contact, Pairing pairing) {
  if (pairing.adds || pairing.step != PairingStep::asked) return {};
  TRY(const CodeNonce theirs, read_nonce(step.value));
  TRY(const CodeTranscript transcript, pairing_transcript(host, contact, pairing));
  pairing.codes = short_codes(transcript, pairing.nonce, theirs);
  return go_on(host, contact, std::move(pairing), PairingStep::coded);
}

Result<void> on_reveal(Host& host, const AgentStep& step, const Contact& contact, Pairing pairing) {
  if (!pairing.adds || pairing.step != PairingStep::asked) return {};
  TRY(const CodeNonce theirs, read_nonce(step.value));
  TRY(const CodeTranscript transcript, pairing_transcript(host, contact, pairing));
  if (!check_code_reveal(pairing.commitment, theirs, transcript).has_value()) {
    fail_pairing(host, pairing, "the two devices do not see the same. Somebody may be in between.");
    return {};
  }
  pairing.codes = short_codes(transcript, theirs, pairing.nonce);
  pairing.step = PairingStep::coded;
  save_pairing(host, pairing);
  host.notify({"agent",
               "A new device asks to be added. Type the code that it shows: `kith agent code "
               "NNNNNN`. If you did not ask for this, `kith agent cancel`.",
               contact.id,
               {}});
  return {};
}

Result<void> on_welcome(Host& host, const AgentStep& step, Pairing pairing) {
  if (pairing.adds || pairing.step != PairingStep::coded) return {};
  pairing.welcome = step.value;
  pairing.step = PairingStep::welcomed;
  save_pairing(host, pairing);
  host.cancel_timer(protocol::kOwnAgentsModule, repeat_timer(pairing.contact_id));
  return {};
}

Result<void> on_joined(Host& host, const Inbound& inbound, const Contact& contact,
                       Pairing pairing) {
  const bool compared = pairing.step == PairingStep::welcomed || pairing.step == PairingStep::done;
  if (!pairing.adds || !compared) {
    return fail(Errc::wrong_state, "the codes have not been compared yet");
  }
  TRY(const auto joined, protocol::decode_body<AgentJoined>(inbound.message.body));
  const std::string key = crypto::multikey(joined.key);
  // One comparison of codes is for one key, whatever else that device asks for later.
  if (!pairing.agent.empty() && pairing.agent != key) {
    return fail(Errc::refused, "the codes were compared for another key");
  }
  if (pairing.step == PairingStep::welcomed) {
    count_as_device(host, contact);
    TRY(const bool admitted, admit(host, contact, joined, pairing.name));
    pairing.agent = key;
    if (!admitted) return keep_waiting(host, pairing);
    end_pairing(host, pairing, PairingStep::done, "");
    tend_agents_soon(host);
  }
  return send_value(host, contact, pairing, kAdmitted, crypto::as_bytes(own_agent_multikey(host)));
}

/// The devices of before, which the inviting one has yet to introduce: none of them is a stranger.
void expect_agents(Host& host) {
  std::vector<std::string> keys = policy_agents(host);
  keys.push_back(own_agent_multikey(host));
  for (const std::string& key : keys) {
    if (host.get({std::string(kOwnAgents), key})) continue;
    save(host, kOwnAgents, key, OwnAgent{key, std::string(kUnknownDevice), {}, {}});
  }
}

Result<void> on_admitted(Host& host, const AgentStep& step, const Contact& contact,
                         Pairing pairing) {
  if (pairing.adds || pairing.step != PairingStep::joined) return {};
  pairing.agent = std::string(crypto::as_text(step.value));
  ledger::remember_agent(host, pairing.agent, contact.id, policy_agents(host));
  expect_agents(host);
  end_pairing(host, pairing, PairingStep::done, "");
  tend_agents_soon(host);
  host.notify({"agent", "This device belongs to your identity now.", contact.id, {}});
  if (const auto own = ledger::identity(host)) {
    ledger::refresh_log(host, own->policy);
    ledger::refresh_log(host, own->did);
  }
  return {};
}

}  // namespace

Result<void> go_on(Host& host, const Contact& contact, Pairing pairing, PairingStep step) {
  pairing.step = step;
  pairing.tries = 0;
  const auto sent = send_outstanding(host, contact, pairing);
  repeat_later(host, pairing);
  save_pairing(host, pairing);
  return sent;
}

void fail_pairing(Host& host, const Pairing& pairing, const std::string& problem) {
  if (const auto contact = protocol::find_contact(host, pairing.contact_id)) {
    static_cast<void>(send_value(host, *contact, pairing, kFailed, {}));
  }
  close_pairing(host, pairing, problem);
  host.notify({"agent", "The new device was not added: " + problem, pairing.contact_id, {}});
}

void count_as_device(Host& host, Contact contact) {
  contact.role = ContactRole::device;
  protocol::save_contact(host, contact);
}

std::optional<Pairing> find_pairing(Host& host, std::string_view contact_id) {
  return load<Pairing>(host, kPairings, contact_id);
}

std::vector<Pairing> list_pairings(Host& host) {
  std::vector<Pairing> all;
  for (const std::string& id : host.list(kPairings)) all.push_back(*find_pairing(host, id));
  return all;
}

void save_pairing(Host& host, const Pairing& pairing) {
  save(host, kPairings, pairing.contact_id, pairing);
}

void begin_pairing(Host& host, std::string_view contact_id) {
  const auto contact = protocol::find_contact(host, contact_id);
  if (!contact || contact->role != ContactRole::new_device) return;
  auto pairing = find_pairing(host, contact_id);
  if (!pairing) {  // The inviting device: the other one speaks first.
    Pairing fresh;
    fresh.contact_id = contact->id;
    fresh.adds = true;
    fresh.name = contact->name;
    fresh.started = host.now();
    save_pairing(host, fresh);
    host.set_timer(protocol::kOwnAgentsModule, repeat_timer(contact->id),
                   host.now() + agent_limits::kPairingLife);
    return;
  }
  if (pairing->adds || pairing->step != PairingStep::connecting) return;
  auto key = host.keys().generate(KeyType::x25519, KeyPurpose::session);
  if (!key.has_value()) return fail_pairing(host, *pairing, key.error().detail);
  pairing->session_key = key->public_key;
  pairing->session_own = std::move(key->sealed);
  pairing->id = random_id<SessionId>(host.random());
  pairing->nonce = random_id<CodeNonce>(host.random());
  static_cast<void>(go_on(host, *contact, std::move(*pairing), PairingStep::asked));
}

void repeat_pairing(Host& host, std::string_view contact_id) {
  auto pairing = find_pairing(host, contact_id);
  const auto contact = protocol::find_contact(host, contact_id);
  if (!pairing || !pairing->is_open() || !contact) return;
  // Once the vault is here, only the other side's answer is missing.
  const bool too_old = host.now() >= pairing->started + agent_limits::kPairingLife;
  if (too_old && pairing->step != PairingStep::joined) {
    return fail_pairing(host, *pairing, "it was not finished within a day. Begin anew.");
  }
  static_cast<void>(send_outstanding(host, *contact, *pairing));
  repeat_later(host, *pairing);
  save_pairing(host, *pairing);
}

std::vector<std::string> pairing_message_types() {
  std::vector<std::string> types;
  for (const std::string_view name :
       {kHello, kNonce, kReveal, kWelcome, AgentJoined::kName, kAdmitted, kFailed}) {
    types.push_back(type_uri("agent", name));
  }
  return types;
}

Result<void> on_pairing_message(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  if (contact.role != ContactRole::new_device && contact.role != ContactRole::device) {
    return fail(Errc::not_authentic, "this is for devices of the same owner");
  }
  auto pairing = find_pairing(host, contact.id);
  if (!pairing) return fail(Errc::wrong_state, "no device is being added");
  const std::string& type = inbound.message.type;
  const auto is = [&](std::string_view name) { return type == type_uri("agent", name); };
  if (pairing->step == PairingStep::failed) return {};
  if (is(kHello)) return on_hello(host, inbound, contact, std::move(*pairing));
  if (is(AgentJoined::kName)) return on_joined(host, inbound, contact, std::move(*pairing));
  TRY(const auto step, protocol::decode_body<AgentStep>(inbound.message.body));
  CHECK(check_pairing(*pairing, step.pairing));
  if (is(kNonce)) return on_nonce(host, step, contact, std::move(*pairing));
  if (is(kReveal)) return on_reveal(host, step, contact, std::move(*pairing));
  if (is(kWelcome)) return on_welcome(host, step, std::move(*pairing));
  if (is(kAdmitted)) return on_admitted(host, step, contact, std::move(*pairing));
  if (pairing->is_open()) {
    close_pairing(host, *pairing, "the other device gave up. Begin anew.");
    host.notify(
        {"agent", "The other device gave up. Begin anew with `kith agent add`.", contact.id, {}});
  }
  return {};
}

}  // namespace kith::recovery
