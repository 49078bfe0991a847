#include "protocol/short_url_store.hpp"

#include <vector>

#include "crypto/limits.hpp"
#include "protocol/message.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kUrls = "short-url";
constexpr std::string_view kByClient = "short-url-of";
constexpr std::string_view kPath = "invitation?_oobid=";

struct ClientUrls {
  std::vector<std::string> ids;
  template <class V>
  void visit(V& v) {
    v("ids", ids);
  }
};

/// Our own stand under a name that no contact id has.
std::string client_key(std::string_view client) {
  return client.empty() ? "self" : std::string(client);
}

ClientUrls urls_of(Host& host, std::string_view client) {
  return load<ClientUrls>(host, kByClient, client_key(client)).value_or(ClientUrls{});
}

void save_urls(Host& host, std::string_view client, const ClientUrls& urls) {
  if (urls.ids.empty()) {
    host.erase({std::string(kByClient), client_key(client)});
  } else {
    save(host, kByClient, client_key(client), urls);
  }
}

/// Drops those of `client` that have expired.
ClientUrls sweep_client(Host& host, std::string_view client) {
  ClientUrls urls = urls_of(host, client);
  const std::size_t before = urls.ids.size();
  std::erase_if(urls.ids, [&](const std::string& id) {
    const auto record = load<ShortUrl>(host, kUrls, id);
    if (record && host.now() < record->expires) return false;
    host.erase({std::string(kUrls), id});
    return true;
  });
  if (urls.ids.size() != before) save_urls(host, client, urls);
  return urls;
}

}  // namespace

Result<std::string> keep_short_url(Host& host, const ShortUrl& record) {
  ClientUrls urls = sweep_client(host, record.client);
  if (urls.ids.size() >= limits::kShortUrlsPerClientMax ||
      host.list(kUrls).size() >= limits::kShortUrlsMax) {
    return fail(Errc::limit_exceeded, "there are too many short addresses already");
  }
  const std::string id = new_message_id(host.random());
  urls.ids.push_back(id);
  save_urls(host, record.client, urls);
  save(host, kUrls, id, record);
  return id;
}

std::optional<ShortUrl> find_short_url(Host& host, std::string_view id) {
  if (!is_message_id(id)) return std::nullopt;
  auto record = load<ShortUrl>(host, kUrls, id);
  if (!record || record->expires <= host.now()) return std::nullopt;
  return record;
}

Result<void> drop_short_url(Host& host, std::string_view client, std::string_view id) {
  const auto record = find_short_url(host, id);
  if (!record || record->client != client) {
    return fail(Errc::not_found, "no short address of yours");
  }
  ClientUrls urls = urls_of(host, client);
  std::erase(urls.ids, id);
  save_urls(host, client, urls);
  host.erase({std::string(kUrls), std::string(id)});
  return {};
}

void sweep_short_urls(Host& host) {
  for (const std::string& client : host.list(kByClient)) {
    sweep_client(host, client == "self" ? std::string() : client);
  }
}

std::string short_address(std::string_view public_url, std::string_view id) {
  std::string url(public_url);
  if (!url.ends_with('/')) url += '/';
  return url + std::string(kPath) + std::string(id);
}

Result<std::string> short_id_of(std::string_view public_url, std::string_view url) {
  const std::string start = short_address(public_url, "");
  if (!url.starts_with(start)) return fail(Errc::not_found, "not a short address of this node");
  return std::string(url.substr(start.size()));
}

}  // namespace kith::protocol
