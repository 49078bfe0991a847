#pragma once

/// The short addresses that a mediator keeps (collections `short-url`, by id, and `short-url-of`,
/// by client). Used by out_of_band.cpp alone.

#include <optional>
#include <string>
#include <string_view>

#include "protocol/host.hpp"

namespace kith::protocol {

struct ShortUrl {
  std::string client;  ///< Contact id; empty: our own.
  std::string url;     ///< The invitation in its long form.
  Time expires{};
  template <class V>
  void visit(V& v) {
    v("client", client), v("url", url), v("expires", expires);
  }
};

/// Gives the id. Errors: limit_exceeded (kShortUrlsPerClientMax, kShortUrlsMax).
[[nodiscard]] Result<std::string> keep_short_url(Host& host, const ShortUrl& record);
/// nullopt: never kept, dropped, or expired.
[[nodiscard]] std::optional<ShortUrl> find_short_url(Host& host, std::string_view id);
/// Only by the client that asked for it. Errors: not_found.
[[nodiscard]] Result<void> drop_short_url(Host& host, std::string_view client, std::string_view id);
void sweep_short_urls(Host& host);

/// "https://mediator.example/" and an id -> the address to give out, and back.
[[nodiscard]] std::string short_address(std::string_view public_url, std::string_view id);
/// Errors: not_found (not an address of ours).
[[nodiscard]] Result<std::string> short_id_of(std::string_view public_url, std::string_view url);

}  // namespace kith::protocol
