#include "protocol/kept_document.hpp"

#include <algorithm>

#include "crypto/limits.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kCollection = "did-web";

struct KeptDocument {
  JsonObject document;
  Time fetched{};
  template <class V>
  void visit(V& v) {
    v("document", document), v("fetched", fetched);
  }
};

}  // namespace

void keep_document(Host& host, const DidDocument& document) {
  const std::string& id = document.id.text();
  auto ids = host.list(kCollection);
  std::erase(ids, id);
  while (ids.size() >= limits::kDidWebDocumentsKept) {
    const auto oldest = std::ranges::min_element(ids, {}, [&](const std::string& one) {
      return load<KeptDocument>(host, kCollection, one)->fetched;
    });
    host.erase({std::string(kCollection), *oldest});
    ids.erase(oldest);
  }
  save(host, kCollection, id, KeptDocument{document.raw, host.now()});
}

std::optional<DidDocument> kept_document(Host& host, const Did& did) {
  const auto kept = load<KeptDocument>(host, kCollection, did.text());
  const bool fresh = kept && kept->fetched <= host.now() &&
                     host.now() < kept->fetched + limits::kDidWebDocumentLife;
  if (!fresh) return std::nullopt;
  auto document = read_did_document(kept->document, did);
  if (!document.has_value()) return std::nullopt;
  return std::move(*document);
}

}  // namespace kith::protocol
