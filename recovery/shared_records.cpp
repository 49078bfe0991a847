#include "recovery/shared_records.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_reader.hpp"
#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "ledger/own_entries.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/contact.hpp"
#include "protocol/vault.hpp"
#include "recovery/agent_limits.hpp"
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

/// Name and end of a contact; with whom it is, and by which DIDs, never changes.
Result<void> take_contact(Host& host, const SharedName& name, ByteView value, bool newer) {
  TRY(const Contact contact, protocol::decode_record<Contact>(value));
  if (contact.id != name.id || !is_shared(contact) || contact.name.empty() ||
      contact.name.size() > limits::kNameCharsMax) {
    return fail(Errc::refused, "not a contact that devices share");
  }
  auto mine = protocol::find_contact(host, name.id);
  if (!mine) {
    const auto all = protocol::list_contacts(host);
    const bool taken = std::ranges::any_of(all, [&](const Contact& other) {
      return other.my_did == contact.my_did || other.their_did == contact.their_did;
    });
    if (taken) return fail(Errc::refused, "another contact has these DIDs");
    protocol::save_contact(host, contact);
    return {};
  }
  if (mine->my_did != contact.my_did || mine->their_did != contact.their_did ||
      mine->role != contact.role) {
    return fail(Errc::refused, "a contact does not change whom it is with");
  }
  if (mine->state == ContactState::ended) return {};
  if (contact.state == ContactState::ended) {
    ledger::end_with_other_device(host, *mine);
  } else if (newer) {
    mine->name = contact.name;
    protocol::save_contact(host, *mine);
  }
  return {};
}

/// The log of a relationship that is not known yet, as the other device got it.
Result<void> take_new_log(Host& host, const std::string& did, const ledger::StoredLog& log) {
  const auto now = ledger::anchor_time(host.now());
  std::vector<ledger::AnchoredBlob> blobs;
  for (const ledger::StoredBlob& blob : log.blobs) {
    blobs.push_back({blob.blob, std::min(ledger::anchor_time(blob.anchored), now)});
  }
  TRY(const ledger::LogView view, ledger::read_log(did, blobs, {now, host.test_mode()}));
  if (view.kind != ledger::Kind::pair) return fail(Errc::refused, "not a relationship's log");
  ledger::store_blobs(host, did, blobs);
  return ledger::refresh_document(host, view);
}

/// Adds what is new, by the rules of logs, as of now: another device cannot date it back.
Result<void> take_log(Host& host, const SharedName& name, ByteView value, bool) {
  TRY(const auto log, protocol::decode_record<ledger::StoredLog>(value));
  const auto kept = ledger::stored_blobs(host, name.id);
  if (kept.empty()) return take_new_log(host, name.id, log);
  TRY(const ledger::LogView before, ledger::stored_view(host, name.id));
  if (before.kind != ledger::Kind::pair) return fail(Errc::refused, "not a relationship's log");
  for (const ledger::StoredBlob& blob : log.blobs) {
    const bool known = std::ranges::any_of(
        kept, [&](const ledger::AnchoredBlob& one) { return one.blob == blob.blob; });
    if (known) continue;
    const auto added = ledger::append_checked(host, name.id, blob.blob, host.now());
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

/// Who belongs to the identity says the policy alone; this is how they are called.
Result<void> take_agent(Host& host, const SharedName& name, ByteView value, bool newer) {
  TRY(OwnAgent agent, protocol::decode_record<OwnAgent>(value));
  if (agent.key != name.id) return fail(Errc::malformed, "a device under another key");
  if (agent.name.size() > limits::kNameCharsMax) return fail(Errc::limit_exceeded, "a long name");
  const auto mine = load<OwnAgent>(host, kOwnAgents, name.id);
  const bool tells_the_name = mine && agent.is_named() && !mine->is_named();
  if (mine && mine->is_named() && !agent.is_named()) {
    agent.name = mine->name;
    agent.added = mine->added;
  }
  if (!mine) {
    if (host.list(kOwnAgents).size() >= agent_limits::kAgentsRemembered) {
      return fail(Errc::limit_exceeded, "too many devices");
    }
    warn_of_agent(host, agent);
  } else if (!newer && !tells_the_name) {
    return {};
  }
  save(host, kOwnAgents, name.id, agent);
  return {};
}

Result<void> take_agent_keys(Host& host, const SharedName& name, ByteView value, bool newer) {
  TRY(const AgentKeys keys, protocol::decode_record<AgentKeys>(value));
  if (agent_keys_id(keys.did, keys.agent) != name.id) {
    return fail(Errc::malformed, "keys of a device under another name");
  }
  CHECK(check_agent_keys(keys));
  if (keys.agent == own_agent_multikey(host)) return {};
  if (newer || !host.get({name.collection, name.id})) {
    save(host, name.collection, name.id, keys);
  }
  return {};
}

/// Another device made an entry: the ledger is asked for it, so that both act by the same logs.
Result<void> take_entry_mark(Host& host, const SharedName& name, ByteView value, bool) {
  TRY(const auto mark, protocol::decode_record<ledger::OwnEntryMark>(value));
  if (host.get({name.collection, name.id})) return {};
  const auto own = ledger::identity(host);
  ledger::keep_entry_mark(host, name.id, mark);
  if (own && (mark.subject == own->did || mark.subject == own->policy)) {
    ledger::refresh_log(host, mark.subject);
  }
  return {};
}

struct SharedCollection {
  std::string_view name;
  Take take;
};
constexpr std::array kShared = {
    SharedCollection{"contact", take_contact},
    SharedCollection{"log", take_log},
    SharedCollection{"text", take_text},
    SharedCollection{"vault-item", take_vault_item},
    SharedCollection{kOwnAgents, take_agent},
    SharedCollection{kAgentKeys, take_agent_keys},
    SharedCollection{ledger::kOwnEntries, take_entry_mark},
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
  if (host.get({"meta", "profile"})) names.push_back({"meta", "profile"});
  return names;
}

bool is_shared_collection(std::string_view collection) {
  return collection == kMetaCollection ||
         std::ranges::find(kShared, collection, &SharedCollection::name) != kShared.end();
}

Result<void> take_shared(Host& host, const SharedName& name, ByteView value, bool newer) {
  if (name.collection == kMetaCollection) {
    if (name.id == "profile") return take_newest<ledger::Profile>(host, name, value, newer);
    return fail(Errc::refused, "that record belongs to one device");
  }
  const auto* const shared = std::ranges::find(kShared, name.collection, &SharedCollection::name);
  if (shared == kShared.end()) return fail(Errc::refused, "devices do not share such records");
  return shared->take(host, name, value, newer);
}

}  // namespace kith::recovery
