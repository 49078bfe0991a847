#include "ledger/did_lint.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "crypto/limits.hpp"
#include "ledger/identity.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"

namespace kith::ledger {
namespace {

struct Holders {
  std::vector<std::size_t> documents;  ///< Each once, in their order.
  bool by_mediator = true;
};
using Holdings = std::map<std::pair<SharedKind, std::string>, Holders>;

void note(Holdings& held, SharedKind kind, const std::string& value, std::size_t document,
          bool by_mediator = false) {
  Holders& holders = held[{kind, value}];
  holders.by_mediator = holders.by_mediator && by_mediator;
  if (holders.documents.empty() || holders.documents.back() != document) {
    holders.documents.push_back(document);
  }
}

Holdings holdings(std::span<const DidDocument> documents) {
  Holdings held;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const DidDocument& document = documents[i];
    note(held, SharedKind::id, document.id.text(), i);
    for (const protocol::VerificationMethod& method : document.methods) {
      if (method.key) note(held, SharedKind::key, crypto::multikey(*method.key), i);
    }
    for (const ServiceEndpoint& service : document.services) {
      note(held, SharedKind::address, service.uri, i, !service.routing_keys.empty());
    }
  }
  return held;
}

}  // namespace

std::string_view shared_name(SharedKind kind) {
  switch (kind) {
    case SharedKind::id:
      return "id";
    case SharedKind::key:
      return "key";
    case SharedKind::address:
      return "address";
  }
  return "";
}

std::vector<Shared> find_shared(std::span<const DidDocument> documents) {
  std::vector<Shared> found;
  for (const auto& [what, holders] : holdings(documents)) {
    if (holders.documents.size() < 2) continue;
    Shared shared{what.first, what.second, {}, holders.by_mediator};
    for (const std::size_t i : holders.documents) shared.dids.push_back(documents[i].id.text());
    found.push_back(std::move(shared));
  }
  return found;
}

JsonObject lint_report(std::span<const DidDocument> documents) {
  JsonArray list;
  bool ok = true;
  for (const Shared& shared : find_shared(documents)) {
    ok = ok && shared.by_mediator;
    list.push_back(JsonObject{{"what", shared_name(shared.kind)},
                              {"value", shared.value},
                              {"dids", json_strings(shared.dids)},
                              {"refused", !shared.by_mediator}});
  }
  return JsonObject{{"checked", static_cast<std::int64_t>(documents.size())},
                    {"ok", ok},
                    {"shared", std::move(list)}};
}

Result<JsonObject> lint_own(Host& host) {
  std::vector<DidDocument> documents;
  const auto add = [&](std::string_view text) -> Result<void> {
    TRY(const Did did, Did::parse(text));
    TRY(DidDocument document, protocol::KnownDids(host).resolve(did));
    documents.push_back(std::move(document));
    return {};
  };
  if (const auto own = identity(host)) CHECK(add(own->did));
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (contact.state == ContactState::connected) CHECK(add(contact.my_did));
  }
  return lint_report(documents);
}

Result<JsonObject> lint_file(std::string_view file) {
  TRY(const Json json,
      crypto::parse_json(file, {limits::kEnvelopeBytesMax, limits::kJsonDepthMax}));
  if (!json.is_array()) return fail(Errc::malformed, "not an array of DID documents");
  std::vector<DidDocument> documents;
  for (const Json& item : json.get_array()) {
    TRY(const JsonObject* object, crypto::as_object(item, "DID document"));
    TRY(const std::string id, crypto::json_string(*object, "id"));
    TRY(const Did did, Did::parse(id));
    TRY(DidDocument document, protocol::read_did_document(*object, did));
    documents.push_back(std::move(document));
  }
  return lint_report(documents);
}

}  // namespace kith::ledger
