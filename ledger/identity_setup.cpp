#include "ledger/identity_setup.hpp"

#include "crypto/limits.hpp"
#include "ledger/descriptor.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/own_log.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/messenger.hpp"
#include "protocol/vault.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kDraft = "identity-draft";
constexpr std::chrono::seconds kFetchWait{30};

void save_draft(Host& host, const IdentityDraft& draft) {
  save(host, "meta", kDraft, draft);
}

void start_fetch(Host& host, IdentityDraft& draft) {
  draft.effect = start_descriptor_fetch(host, kDescriptorContext, draft.ledger_url);
}

Result<std::int64_t> window(Host& host, const JsonObject& args, std::string_view name,
                            std::chrono::seconds usual) {
  TRY(const auto asked, crypto::json_optional_int(args, name));
  if (!host.test_mode()) {
    if (asked) return fail(Errc::refused, "windows can be chosen in test mode only");
    return std::int64_t{usual.count()};
  }
  if (asked && (*asked < 0 || *asked > std::int64_t{kWindowMax.count()})) {
    return fail(Errc::usage, std::string(name) + " is out of range");
  }
  return asked.value_or(0);
}

Result<IdentityDraft> read_args(Host& host, const JsonObject& args) {
  IdentityDraft draft;
  TRY(draft.name, crypto::json_string(args, "name"));
  if (draft.name.empty() || draft.name.size() > limits::kNameCharsMax) {
    return fail(Errc::usage, "a name has 1 to 100 characters");
  }
  TRY(draft.ledger_url, crypto::json_string(args, "ledger"));
  CHECK(plain_text(draft.ledger_url, "the ledger's address", limits::kHttpUrlCharsMax));
  TRY(draft.delay_seconds, window(host, args, "delay_seconds", kDelayDefault));
  TRY(draft.contest_seconds, window(host, args, "contest_seconds", kContestDefault));
  draft.created = host.now();
  return draft;
}

/// The vault and the link secret in it. A vault that exists is opened, to check the passphrase.
Result<void> prepare_vault(Host& host, const std::optional<StepUp>& step_up) {
  if (!step_up) return fail(Errc::step_up_required);
  if (protocol::vault_lock(host)) {
    CHECK(protocol::open_vault(host, step_up));
  } else {
    CHECK(protocol::create_vault(host, *step_up));
  }
  CHECK(move_keys_to_vault(host));  // Of relationships that are older than the vault.
  const auto held = protocol::vault_items_of(host, "", protocol::VaultUse::link_secret);
  if (!held.empty()) return {};
  TRY(const SealedKey secret, host.keys().generate_secret(KeyPurpose::link_secret));
  return protocol::add_to_vault(host, protocol::VaultUse::link_secret, protocol::kLinkSecret, "",
                                {}, secret);
}

struct NewLog {
  Entry genesis;
  [[nodiscard]] const std::string& subject() const { return genesis.id; }
};

/// A log with fresh keys, not yet handed in. `state` names it "did:kith:{SCID}".
Result<NewLog> make_log(Host& host, const IdentityDraft& draft, const std::string& ledger,
                        Kind kind, Json state) {
  TRY(const LogKeys keys, generate_log_keys(host.keys(), host.random()));
  LogContent content = make_content(keys, {ledger}, std::move(state));
  content.rec.delay = std::chrono::seconds{draft.delay_seconds};
  content.rec.contest = std::chrono::seconds{draft.contest_seconds};
  NewLog log;
  TRY(log.genesis, make_genesis(kind, content, host.test_mode(), anchor_time(host.now())));
  CHECK(add_signatures(log.genesis, keys.active, keys.keys.t, host.keys()));
  CHECK(keep_log_keys(host, log.subject(), keys));
  return log;
}

Result<NewLog> make_did_log(Host& host, const IdentityDraft& draft, const std::string& ledger) {
  TRY(const KeyPair auth, host.keys().generate(KeyType::ed25519, KeyPurpose::authenticate));
  TRY(const KeyPair agree, host.keys().generate(KeyType::x25519, KeyPurpose::agree));
  PairState shape;
  shape.agents = {{crypto::multikey(auth.public_key), crypto::multikey(agree.public_key)}};
  const std::string draft_did = std::string(kDidPrefix) + std::string(kScidPlaceholder);
  TRY(NewLog log, make_log(host, draft, ledger, Kind::did, pair_document(draft_did, shape)));
  protocol::remember_key(host, log.subject() + "#" + shape.agents.front().auth, auth.sealed);
  protocol::remember_key(host, log.subject() + "#" + shape.agents.front().agree, agree.sealed);
  return log;
}

Result<NewLog> make_policy_log(Host& host, const IdentityDraft& draft, const std::string& ledger,
                               const PublicKey& agent) {
  Policy policy;
  policy.agents.push_back({crypto::multikey(agent), auth::kOwnerAll, std::nullopt, std::nullopt});
  policy.rules = {{"admin", 1}, {"grant", 1}, {"revoke", 1}};
  CHECK(check_policy(policy));
  return make_log(host, draft, ledger, Kind::policy, policy_json(policy));
}

Result<void> make_logs(Host& host, const IdentityDraft& draft, ByteView fetched) {
  TRY(const LedgerDescriptor descriptor, parse_descriptor(crypto::as_text(fetched)));
  Identity made;
  made.name = draft.name;
  made.ledger_url = draft.ledger_url;
  made.ledger = descriptor_json(descriptor);
  made.ledger_id = ledger_id(descriptor);
  made.created = draft.created;
  TRY(const KeyPair agent, own_agent_key(host));
  made.agent_key = agent.public_key;
  TRY(const NewLog did, make_did_log(host, draft, made.ledger_id));
  TRY(const NewLog policy, make_policy_log(host, draft, made.ledger_id, agent.public_key));
  made.did = did.subject();
  made.policy = policy.subject();
  save_identity(host, made);
  CHECK(hand_in(host, made, made.did, did.genesis));
  CHECK(hand_in(host, made, made.policy, policy.genesis));
  host.erase({"meta", std::string(kDraft)});
  host.audit("identity.created", {{"did", made.did}});
  return {};
}

void give_up_for_now(Host& host, IdentityDraft& draft, const Error& error) {
  draft.error = std::string(crypto::error_text(error.code).sentence);
  if (!error.detail.empty()) draft.error += " (" + error.detail + ")";
  save_draft(host, draft);
  host.set_timer("identity", kDescriptorContext, host.now() + kFetchWait);
}

}  // namespace

std::optional<IdentityDraft> identity_draft(Host& host) {
  return load<IdentityDraft>(host, "meta", kDraft);
}

Result<JsonObject> create_identity(Host& host, const Command& command) {
  if (identity(host)) return fail(Errc::wrong_state, "this wallet has an identity");
  CHECK(only_members(command.args,
                     {"name", "ledger", "no_vault", "delay_seconds", "contest_seconds"},
                     "identity-create"));
  TRY(IdentityDraft draft, read_args(host, command.args));
  TRY(const bool no_vault, protocol::flag_argument(command.args, "no_vault"));
  if (no_vault && protocol::vault_lock(host)) {
    return fail(Errc::wrong_state, "this wallet has a vault");
  }
  if (!no_vault) CHECK(prepare_vault(host, command.step_up));
  if (!own_agent_key(host).has_value()) CHECK(make_agent_key(host));
  // A draft with an address that does not answer may be replaced.
  if (const auto old = identity_draft(host)) host.cancel_effect(old->effect);
  host.cancel_timer("identity", kDescriptorContext);
  start_fetch(host, draft);
  save_draft(host, draft);
  return JsonObject{{"state", "waiting-for-ledger"}};
}

void take_descriptor(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome) {
  auto draft = identity_draft(host);
  if (!draft || draft->effect != effect.id || identity(host)) return;
  draft->effect.clear();
  if (!outcome.has_value()) {
    give_up_for_now(host, *draft, outcome.error());
    return;
  }
  // Whatever the descriptor lacks shows before anything is kept: parsing comes first, and all after
  // it fails only by our own fault.
  if (const auto made = make_logs(host, *draft, *outcome); !made.has_value()) {
    give_up_for_now(host, *draft, made.error());
  }
}

void fetch_again(Host& host) {
  auto draft = identity_draft(host);
  if (!draft || !draft->effect.empty() || identity(host)) return;
  start_fetch(host, *draft);
  save_draft(host, *draft);
}

}  // namespace kith::ledger
