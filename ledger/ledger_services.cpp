#include "ledger/ledger_services.hpp"

#include "crypto/assert.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kLedgerService = "KithLedger";

JsonArray services_where(const Json& document, bool of_ledgers) {
  JsonArray found;
  const JsonObject* object = document.if_object();
  const Json* services = object == nullptr ? nullptr : object->if_contains("service");
  if (services == nullptr || !services->is_array()) return found;
  for (const Json& service : services->get_array()) {
    if (is_ledger_service(service) == of_ledgers) found.push_back(service);
  }
  return found;
}

}  // namespace

bool can_be_told(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

bool is_ledger_service(const Json& service) {
  const JsonObject* object = service.if_object();
  const Json* type = object == nullptr ? nullptr : object->if_contains("type");
  return type != nullptr && *type == Json(kLedgerService);
}

JsonArray ledger_services(const Json& document) {
  return services_where(document, true);
}

JsonArray other_services(const Json& document) {
  return services_where(document, false);
}

std::optional<std::string> told_address(const Json& document, std::string_view id) {
  for (const Json& service : ledger_services(document)) {
    const Json* endpoint = service.get_object().if_contains("serviceEndpoint");
    const JsonObject* where = endpoint == nullptr ? nullptr : endpoint->if_object();
    if (where == nullptr || !where->contains("ledger") || where->at("ledger") != Json(id)) continue;
    auto uri = crypto::json_string(*where, "uri");
    if (uri.has_value() && can_be_told(*uri)) return std::move(*uri);
  }
  return std::nullopt;
}

Json with_ledgers(std::string_view did, const Json& document,
                  const std::vector<LedgerAddress>& ledgers) {
  ASSERT(document.is_object());
  JsonArray services = other_services(document);
  std::size_t told = 0;
  for (const LedgerAddress& ledger : ledgers) {
    if (!can_be_told(ledger.url)) continue;
    services.push_back(
        JsonObject{{"id", std::string(did) + "#ledger-" + std::to_string(told++)},
                   {"type", kLedgerService},
                   {"serviceEndpoint", JsonObject{{"ledger", ledger.id}, {"uri", ledger.url}}}});
  }
  JsonObject after = document.get_object();
  after["service"] = std::move(services);
  return Json(std::move(after));
}

}  // namespace kith::ledger
