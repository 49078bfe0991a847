#include "recovery/shared_records.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "ledger/own_entries.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/contact.hpp"
#include "protocol/vault.hpp"
#include "recovery/agent_relationships.hpp"
#include "recovery/own_agents.hpp"

namespace kith::recovery {
namespace {

using Take = Result<void> (*)(Host& host, const SharedName& name, ByteView value, bool newer);

template <class T>
Result<void> take_newest(Host& host, const SharedName& name, ByteView value, bool newer) {
  TRY(const T read, protocol::decode_record<T>(value));
  if (newer || !host.get({name.collection, name.id})) save(host, name.collection, name.id, read);
  return {};
}

Result<void> take_contact(Host& host, const SharedName& name, ByteView value, bool newer) {
  TRY(const Contact contact, protocol::decode_record<Contact>(value));
  if (contact.id != name.id || !is_shared(contact)) {
    return fail(Errc::refused, "not a contact that devices share");
  }
  const auto mine = protocol::find_contact(host, name.id);
  if (mine && !is_shared(*mine)) return fail(Errc::refused, "that contact is this device's own");
  const bool ends = contact.state == ContactState::ended;
  const bool ended = mine && mine->state == ContactState::ended;
  if (mine && ends && !ended) {
    ledger::end_with_other_device(host, *mine);
  } else if (!mine || (newer && !ended)) {
    protocol::save_contact(host, contact);
  }
  return {};
}

/// Adds what is new, by the rules of logs; a log that is not known yet is read as a whole.
Result<void> take_log(Host& host, const SharedName& name, ByteView value, bool) {
  TRY(const auto log, protocol::decode_record<ledger::StoredLog>(value));
  const auto kept = ledger::stored_blobs(host, name.id);
  if (kept.empty()) {
    std::vector<ledger::AnchoredBlob> blobs;
    for (const ledger::StoredBlob& blob : log.blobs) {
      blobs.push_back({blob.blob, ledger::anchor_time(blob.anchored)});
    }
    TRY(const ledger::LogView view,
        ledger::read_log(name.id, blobs, {ledger::anchor_time(host.now()), host.test_mode()}));
    if (view.kind != ledger::Kind::pair) return fail(Errc::refused, "not a relationship's log");
    ledger::store_blobs(host, name.id, blobs);
    return ledger::refresh_document(host, view);
  }
  for (const ledger::StoredBlob& blob : log.blobs) {
    const bool known = std::ranges::any_of(
        kept, [&](const ledger::AnchoredBlob& one) { return one.blob == blob.blob; });
    if (known) continue;
    const auto added = ledger::append_checked(host, name.id, blob.blob, blob.anchored);
    if (!added.has_value()) return {};  // The other's log went another way: ours stays.
    CHECK(ledger::refresh_document(host, *added));
  }
  return {};
}

Result<void> take_text(Host& host, const SharedName& name, ByteView value, bool) {
  return protocol::take_shared_text(host, name.id, value);
}

Result<void> take_vault_item(Host& host, const SharedName& name, ByteView value, bool) {
  TRY(const auto item, protocol::decode_record<protocol::VaultRecord>(value));
  if (item.id != name.id) return fail(Errc::malformed, "a vault item under another name");
  if (!host.get({name.collection, name.id})) protocol::put_vault_record(host, item);
  return {};
}

Result<void> take_agent(Host& host, const SharedName& name, ByteView value, bool newer) {
  TRY(OwnAgent agent, protocol::decode_record<OwnAgent>(value));
  if (agent.key != name.id) return fail(Errc::malformed, "a device under another key");
  const auto mine = load<OwnAgent>(host, kOwnAgents, name.id);
  if (!mine) {
    host.notify({"alarm",
                 "Your identity has a device \"" + agent.name +
                     "\". If you did not add it, remove it at once: `kith agent list`, `kith agent "
                     "revoke`.",
                 agent.key,
                 {}});
  } else {
    if (!newer) agent.name = mine->name;
    if (mine->is_removed()) agent.removed = mine->removed;
  }
  save(host, kOwnAgents, name.id, agent);
  return {};
}

Result<void> take_agent_keys(Host& host, const SharedName& name, ByteView value, bool) {
  TRY(const AgentKeys keys, protocol::decode_record<AgentKeys>(value));
  if (agent_keys_id(keys.did, keys.agent) != name.id) {
    return fail(Errc::malformed, "keys of a device under another name");
  }
  if (keys.agent != own_agent_name(host)) save(host, name.collection, name.id, keys);
  return {};
}

Result<void> take_identity(Host& host, const SharedName&, ByteView value, bool newer) {
  TRY(ledger::Identity theirs, protocol::decode_record<ledger::Identity>(value));
  const auto mine = ledger::identity(host);
  if (!mine || !newer) return {};
  if (mine->did != theirs.did || mine->policy != theirs.policy) {
    return fail(Errc::refused, "the record of another identity");
  }
  theirs.agent_key = mine->agent_key;
  if (protocol::encode_record(theirs) != protocol::encode_record(*mine)) {
    ledger::save_identity(host, theirs);
  }
  return {};
}

/// Another device made an entry: the ledger is asked for it, so that both act by the same logs.
Result<void> take_entry_mark(Host& host, const SharedName& name, ByteView value, bool) {
  TRY(const auto mark, protocol::decode_record<ledger::OwnEntryMark>(value));
  if (host.get({name.collection, name.id})) return {};
  save(host, name.collection, name.id, mark);
  const auto own = ledger::identity(host);
  if (own && (mark.subject == own->did || mark.subject == own->policy)) {
    ledger::refresh_log(host, mark.subject);
  }
  return {};
}

struct SharedCollection {
  std::string_view name;
  bool erasable;
  Take take;
};
constexpr std::array kShared = {
    SharedCollection{"contact", false, take_contact},
    SharedCollection{"log", false, take_log},
    SharedCollection{"text", true, take_text},
    SharedCollection{"vault-item", false, take_vault_item},
    SharedCollection{kOwnAgents, false, take_agent},
    SharedCollection{kAgentKeys, false, take_agent_keys},
    SharedCollection{ledger::kOwnEntries, true, take_entry_mark},
};
constexpr std::string_view kMetaCollection = "meta";

}  // namespace

std::vector<SharedName> shared_names(Host& host) {
  std::vector<SharedName> names;
  std::set<std::string> logs;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (!is_shared(contact)) continue;
    names.push_back({"contact", contact.id});
    logs.insert({contact.my_did, contact.their_did});
  }
  for (const std::string& did : logs) {
    if (host.get({"log", did})) names.push_back({"log", did});
  }
  for (const SharedCollection& shared : kShared) {
    if (shared.name == "contact" || shared.name == "log") continue;
    for (const std::string& id : host.list(shared.name)) {
      names.push_back({std::string(shared.name), id});
    }
  }
  for (const std::string_view id : {"identity", "profile"}) {
    if (host.get({"meta", std::string(id)})) names.push_back({"meta", std::string(id)});
  }
  return names;
}

bool is_shared_collection(std::string_view collection) {
  return collection == kMetaCollection ||
         std::ranges::find(kShared, collection, &SharedCollection::name) != kShared.end();
}

bool may_be_erased(std::string_view collection) {
  const auto* const shared = std::ranges::find(kShared, collection, &SharedCollection::name);
  return shared != kShared.end() && shared->erasable;
}

Result<void> take_shared(Host& host, const SharedName& name, ByteView value, bool newer) {
  if (name.collection == kMetaCollection) {
    if (name.id == "identity") return take_identity(host, name, value, newer);
    if (name.id == "profile") return take_newest<ledger::Profile>(host, name, value, newer);
    return fail(Errc::refused, "that record belongs to one device");
  }
  const auto* const shared = std::ranges::find(kShared, name.collection, &SharedCollection::name);
  if (shared == kShared.end()) return fail(Errc::refused, "devices do not share such records");
  return shared->take(host, name, value, newer);
}

}  // namespace kith::recovery
