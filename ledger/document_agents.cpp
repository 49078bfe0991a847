#include "ledger/document_agents.hpp"

#include <algorithm>

#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"

namespace kith::ledger {
namespace {

/// The Multikeys that a relationship of the document names, by the part behind "#" of their ids.
Result<std::vector<std::string>> named_keys(const JsonObject& document, std::string_view member) {
  TRY(const JsonArray* ids, crypto::json_array(document, member));
  std::vector<std::string> keys;
  for (const Json& id : *ids) {
    if (!id.is_string()) return fail(Errc::unsupported, "a key is not named by its id");
    const std::string text(id.get_string());
    const std::size_t mark = text.find('#');
    if (mark == std::string::npos) return fail(Errc::unsupported, "a key id without fragment");
    keys.push_back(text.substr(mark + 1));
  }
  return keys;
}

}  // namespace

Result<std::vector<PairAgent>> document_agents(const Json& document) {
  TRY(const JsonObject* object, crypto::as_object(document, "DID document"));
  TRY(const auto auth, named_keys(*object, "authentication"));
  TRY(const auto agree, named_keys(*object, "keyAgreement"));
  if (auth.size() != agree.size()) {
    return fail(Errc::unsupported, "a document whose keys do not come in pairs");
  }
  PairState shape;
  for (std::size_t i = 0; i < auth.size(); ++i) shape.agents.push_back({auth[i], agree[i]});
  CHECK(check_pair_state(shape));
  return std::move(shape.agents);
}

Result<Json> document_with_agents(std::string_view did, const Json& document,
                                  const std::vector<PairAgent>& agents) {
  TRY(const JsonObject* before, crypto::as_object(document, "DID document"));
  PairState shape;
  shape.agents = agents;
  CHECK(check_pair_state(shape));
  Json after = pair_document(did, shape);
  if (const Json* services = before->if_contains("service")) {
    after.get_object()["service"] = *services;
  }
  return after;
}

Result<void> add_document_agent(Host& host, const PairAgent& agent) {
  TRY(const Identity own, needed_identity(host));
  TRY(const LogView view, stored_view(host, own.did));
  if (view.status != LogStatus::normal) {
    return fail(Errc::wrong_state, "your public DID has ended, or a recovery of it is pending");
  }
  TRY(std::vector<PairAgent> agents, document_agents(view.current.state));
  if (std::ranges::find(agents, agent) != agents.end()) return {};
  agents.push_back(agent);
  TRY(Json document, document_with_agents(own.did, view.current.state, agents));
  TRY(Entry entry, make_update(view, std::move(document), anchor_time(host.now())));
  CHECK(sign_with_active(host, entry, view));
  return post_entry(host, own.did, entry);
}

}  // namespace kith::ledger
