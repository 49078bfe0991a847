#include "ledger/identity.hpp"

#include <algorithm>

#include "ledger/descriptor.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/identity_setup.hpp"
#include "ledger/ledger_services.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/microledger.hpp"
#include "ledger/own_log.hpp"
#include "ledger/rebase.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "protocol/vault.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kIdentityRecord = "identity";
constexpr std::string_view kAgentKey = "agent";
constexpr std::string_view kAgentPublic = "agent-key";

struct AgentPublic {
  PublicKey key;
  template <class V>
  void visit(V& v) {
    v("key", key);
  }
};

}  // namespace

std::optional<Identity> identity(Host& host) {
  return load<Identity>(host, "meta", kIdentityRecord);
}

Result<Identity> needed_identity(Host& host) {
  auto own = identity(host);
  if (!own) return fail(Errc::wrong_state, "this wallet has no identity yet");
  return std::move(*own);
}

void save_identity(Host& host, const Identity& identity) {
  save(host, "meta", kIdentityRecord, identity);
  host.set_timer("identity", "watch", host.now());
}

bool lacks_witnesses(const Identity& identity) {
  if (!is_home_ledger(identity.ledger_url)) return false;
  const auto descriptor = parse_descriptor(identity.ledger);
  return !descriptor.has_value() || descriptor->w == 0;
}

Result<KeyPair> own_agent_key(Host& host) {
  const auto half = load<AgentPublic>(host, "meta", kAgentPublic);
  auto sealed = protocol::OwnSecrets(host).find(kAgentKey);
  if (!half || !sealed) return fail(Errc::wrong_state, "this device has no agent key yet");
  return KeyPair{half->key, std::move(*sealed)};
}

Result<KeyPair> make_agent_key(Host& host) {
  TRY(KeyPair pair, host.keys().generate(KeyType::ed25519, KeyPurpose::agent));
  save(host, "meta", kAgentPublic, AgentPublic{pair.public_key});
  protocol::remember_key(host, kAgentKey, pair.sealed);
  return pair;
}

Result<void> take_link_secret(Host& host, const SealedKey& vault) {
  const auto held = protocol::vault_items_of(host, "", protocol::VaultUse::link_secret);
  if (held.empty()) return fail(Errc::not_found, "the vault holds no link secret");
  TRY(const KeyPair secret, protocol::open_vault_item(host, vault, held.front().id));
  protocol::remember_key(host, protocol::kLinkSecret, secret.sealed);
  return {};
}

Result<void> post_entry(Host& host, std::string_view subject, const Entry& entry) {
  TRY(const Identity own, needed_identity(host));
  return hand_in(host, own, subject, entry);
}

bool posted(Host& host, std::string_view subject) {
  const LogPost post = log_post(host, subject);
  return post.shown && post.pending.empty() && !stored_blobs(host, subject).empty();
}

void refresh_log(Host& host, std::string_view subject) {
  if (const auto own = identity(host)) read_again(host, *own, subject);
}

Result<void> update_policy(Host& host, const std::function<void(Policy&)>& change) {
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, stored_view(host, own.policy));
  TRY(const Policy before, parse_policy(view.current.state));
  Policy after = before;
  change(after);
  CHECK(check_policy(after));
  TRY(const KeyPair agent, own_agent_key(host));
  CHECK(check_policy_update(before, after, {crypto::multikey(agent.public_key)}));
  TRY(Entry entry, make_update(view, policy_json(after), anchor_time(host.now())));
  CHECK(add_signature(entry, agent, host.keys()));
  return hand_in(host, own, own.policy, entry);
}

namespace {

/// The document of our DID with these services, and what it tells of ledgers.
Result<Json> served(const std::string& did, const Json& document,
                    const std::vector<PairService>& services) {
  PairState shape;
  shape.services = services;
  TRY(const JsonObject* before, crypto::as_object(document, "DID document"));
  JsonObject after = *before;
  JsonArray all = pair_document(did, shape).at("service").get_array();
  for (const Json& service : ledger_services(document)) all.push_back(service);
  after["service"] = std::move(all);
  return Json(std::move(after));
}

/// The document of our DID with the present own_service as its one service. Errors: wrong_state.
Result<Json> addressed(Host& host, const std::string& did, const Json& document) {
  TRY(const ServiceEndpoint service, protocol::own_service(host));
  return served(did, document, {pair_service(service)});
}

/// The log of our DID, when it takes updates. Errors: wrong_state.
Result<LogView> open_log(Host& host, const Identity& own) {
  TRY(LogView view, stored_view(host, own.did));
  if (view.status != LogStatus::normal) {
    return fail(Errc::wrong_state, "your public DID has ended, or a recovery of it is pending");
  }
  return view;
}

bool has_address(const Json& document) {
  return !other_services(document).empty();
}

Result<void> post_document(Host& host, const Identity& own, const LogView& view, Json document) {
  TRY(Entry entry, make_update(view, std::move(document), anchor_time(host.now())));
  CHECK(sign_with_active(host, entry, view));
  return hand_in(host, own, own.did, entry);
}

/// Whether this device can open what is encrypted to the DID.
bool opens_mail(Host& host, const DidDocument& document) {
  const auto keys = document.agreement_keys();
  protocol::OwnSecrets secrets(host);
  return std::ranges::any_of(
      keys, [&](const NamedKey& key) { return secrets.find(key.kid).has_value(); });
}

}  // namespace

Result<Did> publish_address(Host& host) {
  TRY(const Identity own, needed_identity(host));
  TRY(Did did, Did::parse(own.did));
  TRY(const LogView view, open_log(host, own));
  TRY(const DidDocument document, protocol::KnownDids(host).resolve(did));
  if (!opens_mail(host, document)) {
    return fail(Errc::wrong_state, "this device does not hold the keys of your public DID");
  }
  TRY(Json next, addressed(host, own.did, view.current.state));
  if (next != view.current.state) {
    CHECK(post_document(host, own, view, std::move(next)));
    host.audit("identity.address-published");
  }
  protocol::register_own_did(host, own.did);
  return did;
}

Result<void> withdraw_address(Host& host) {
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, open_log(host, own));
  if (!has_address(view.current.state)) return {};
  TRY(Json next, served(own.did, view.current.state, {}));
  CHECK(post_document(host, own, view, std::move(next)));
  host.audit("identity.address-withdrawn");
  return {};
}

bool published_address_is_old(Host& host) {
  const auto own = identity(host);
  if (!own) return false;
  const auto view = stored_view(host, own->did);
  if (!view.has_value() || view->status != LogStatus::normal) return false;
  if (!has_address(view->current.state)) return false;
  const auto next = addressed(host, own->did, view->current.state);
  return next.has_value() && *next != view->current.state;
}

namespace {

/// The recovery authority in force was shown to all: in a recover that was vetoed or displaced, or
/// in the veto of one by the super-quorum, which reveals that of its fork point.
bool is_revealed(const LogView& view) {
  const auto shows_it = [&](const LogRecord& record) {
    return record.entry->reveal && recovery_digest(*record.entry->reveal) == view.current.rec.d;
  };
  const auto its_veto_shows_it = [&](const LogRecord& vetoed) {
    const auto fork = std::ranges::find(view.history, vetoed.entry->prev, &LogRecord::hash);
    return vetoed.super_quorum && fork != view.history.end() && fork->entry->content &&
           fork->entry->content->rec.d == view.current.rec.d;
  };
  return std::ranges::any_of(view.vetoed, shows_it) ||
         std::ranges::any_of(view.vetoed, its_veto_shows_it) ||
         std::ranges::any_of(view.replaced, shows_it);
}

Result<void> replace_authority(Host& host, const LogView& view, RotateSpec& spec) {
  TRY(const RecoveryTier recovery, generate_recovery(host.keys(), host.random()));
  CHECK(keep_recovery_keys(host, view.subject, recovery));
  if (!spec.rec) spec.rec = view.current.rec;
  spec.rec->d = recovery.digest;
  return {};
}

}  // namespace

Result<Entry> prepare_rotate(Host& host, std::string_view subject,
                             const std::optional<SealedKey>& vault, const RotateChange& change) {
  TRY(const LogView view, stored_view(host, subject));
  TRY(const std::vector<KeyPair> active, take_next_keys(host, view, vault));
  LogKeyShape shape;
  shape.next_t = view.current.next.t;
  shape.next_n = static_cast<std::uint32_t>(view.current.next.kd.size());
  TRY(const NextTier next, generate_next(host.keys(), shape));
  CHECK(keep_next_keys(host, subject, next));
  RotateSpec spec{{view.current.next.t, multikeys(active)}, next.digests, {}, {}};
  if (change.state) spec.state = *change.state;
  if (change.super_quorum) {
    spec.rec = view.current.rec;
    spec.rec->hi = change.super_quorum;
  }
  if (is_revealed(view)) CHECK(replace_authority(host, view, spec));
  TRY(Entry entry, make_rotate(view, std::move(spec), anchor_time(host.now())));
  CHECK(add_signatures(entry, active, view.current.next.t, host.keys()));
  for (const KeyPair& pair : active) remember_log_key(host, pair);
  return entry;
}

Result<void> post_prepared(Host& host, std::string_view subject, const Entry& rotate) {
  TRY(const LogView view, stored_view(host, subject));
  Entry entry = rotate;
  if (view.head().hash != rotate.prev) {
    const auto parent = std::ranges::find(view.history, rotate.prev, &LogRecord::hash);
    if (parent == view.history.end() || !parent->entry->content) {
      return fail(Errc::conflict, "what it was made upon does not count any more");
    }
    TRY(entry, rebase_entry(host, rotate, *parent->entry->content, view));
  }
  CHECK(post_entry(host, subject, entry));
  host.audit("log.rotated", {{"log", subject}, {"n", static_cast<std::int64_t>(entry.n)}});
  return {};
}

}  // namespace kith::ledger
