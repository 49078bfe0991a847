#include "tests/support/fake_etcd.hpp"

#include <algorithm>
#include <stdexcept>

#include "ledger/signed_note.hpp"

namespace kith::test {

namespace {

std::string plain(const JsonObject& object, std::string_view member) {
  const auto bytes = ledger::from_base64(crypto::json_string(object, member).value());
  return std::string(crypto::as_text(bytes.value()));
}

std::string coded(std::string_view text) {
  return ledger::base64(crypto::as_bytes(text));
}

std::uint64_t number(const JsonObject& object, std::string_view member) {
  const auto text = crypto::json_optional_string(object, member).value();
  return text ? std::stoull(*text) : 0;
}

ledger::HttpReply error(int status, int code, const std::string& words) {
  return {status, "application/json",
          R"({"error":")" + words + R"(","message":")" + words + R"(","code":)" +
              std::to_string(code) + "}"};
}

}  // namespace

bool is_write(const ledger::JobQuestion& question) {
  return question.http.body.find("request_put") != std::string::npos;
}

std::string FakeEtcd::url() const {
  std::string url = "etcd://";
  for (std::size_t i = 0; i < servers.size(); ++i) {
    url += (i == 0 ? "s" : ",s") + std::to_string(i) + ":1";
  }
  return url + "/kith";
}

ledger::EtcdSession FakeEtcd::session(std::optional<ledger::EtcdLogin> login) const {
  return {ledger::EtcdAddress::parse(url()).value(), std::move(login)};
}

ledger::JobExchange FakeEtcd::exchange() {
  return [this](const ledger::JobQuestion& question) { return answer(question); };
}

void FakeEtcd::put(const std::string& key, const std::string& value) {
  ++revision;
  Item& item = items[key];
  if (item.created == 0) item.created = revision;
  item.modified = revision;
  item.value = value;
}

std::size_t FakeEtcd::count_of(std::string_view text) const {
  const auto holds_text = [&](const auto& pair) {
    return pair.second.value.find(text) != std::string::npos;
  };
  return static_cast<std::size_t>(std::ranges::count_if(items, holds_text));
}

Result<ledger::HttpReply> FakeEtcd::answer(const ledger::JobQuestion& question) {
  const std::string& url = question.http.target;  // http://s0:1/v3/kv/range
  const std::size_t server = std::stoull(url.substr(std::string("http://s").size()));
  const std::string path = url.substr(url.find('/', std::string("http://").size()));
  asked.push_back(std::to_string(server) + " " + path);
  if (servers.at(server).dead) return fail(Errc::unreachable, "nothing listens there");
  const bool about_keys = path.starts_with("/v3/kv/") || path.starts_with("/v3/auth/");
  if (about_keys && !servers.at(server).has_leader) return fail(Errc::timeout, "no answer in time");
  return serve(server, path, question);
}

ledger::HttpReply FakeEtcd::serve(std::size_t server, std::string_view path,
                                  const ledger::JobQuestion& question) {
  const Json json = crypto::parse_json(question.http.body).value();
  const JsonObject& asked_for = json.get_object();
  JsonObject reply;
  if (path == "/v3/maintenance/status") {
    reply["header"] = header();
    if (servers.at(server).has_leader) reply["leader"] = "11755896077096652274";
    return {200, "application/json", crypto::json_text(reply)};
  }
  if (path == "/v3/auth/authenticate") {
    if (password.empty()) return error(412, 9, "etcdserver: authentication is not enabled");
    if (crypto::json_string(asked_for, "name").value() != name ||
        crypto::json_string(asked_for, "password").value() != password) {
      return error(400, 3, "etcdserver: authentication failed, invalid user ID or password");
    }
    const std::string token = "token." + std::to_string(++logins);
    tokens.insert(token);
    reply["header"] = header();
    reply["token"] = token;
    return {200, "application/json", crypto::json_text(reply)};
  }
  if (!password.empty() && question.authorization.empty()) {
    return error(400, 3, "etcdserver: user name is empty");
  }
  if (!password.empty() && !tokens.contains(question.authorization)) {
    return error(401, 16, "etcdserver: invalid auth token");
  }
  if (path == "/v3/kv/range") {
    reply = range(asked_for);
  } else if (path == "/v3/kv/txn") {
    reply = transact(asked_for);
  } else {
    return {404, "text/plain", "Not Found\n"};
  }
  return {200, "application/json", crypto::json_text(reply)};
}

JsonObject FakeEtcd::header() const {
  return {{"cluster_id", "175966720666463630"},
          {"member_id", "11755896077096652274"},
          {"revision", std::to_string(revision)},
          {"raft_term", "2"}};
}

JsonObject FakeEtcd::range(const JsonObject& question) const {
  const std::string first = plain(question, "key");
  const std::string end = question.contains("range_end") ? plain(question, "range_end") : "";
  std::vector<std::pair<std::string, Item>> found;
  for (const auto& [key, item] : items) {
    const bool inside = end.empty() ? key == first : key >= first && key < end;
    if (inside && item.created >= number(question, "min_create_revision")) {
      found.emplace_back(key, item);
    }
  }
  std::ranges::sort(found, {}, [](const auto& pair) { return pair.second.created; });
  const std::uint64_t limit = number(question, "limit");
  JsonObject reply;
  reply["header"] = header();
  JsonArray list;
  for (const auto& [key, item] : found) {
    if (limit != 0 && list.size() == limit) {
      reply["more"] = true;
      break;
    }
    JsonObject one;
    one["key"] = coded(key);
    one["create_revision"] = std::to_string(item.created);
    one["mod_revision"] = std::to_string(item.modified);
    if (!question.contains("keys_only")) one["value"] = coded(item.value);
    list.emplace_back(std::move(one));
  }
  if (!list.empty()) reply["kvs"] = std::move(list);
  if (!found.empty()) reply["count"] = std::to_string(found.size());
  return reply;
}

bool FakeEtcd::holds(const JsonObject& condition) const {
  const auto found = items.find(plain(condition, "key"));
  const bool made = condition.at("target") == "CREATE";
  const std::uint64_t is = found == items.end() ? 0
                           : made               ? found->second.created
                                                : found->second.modified;
  return condition.at("result") == "EQUAL" &&
         is == number(condition, made ? "create_revision" : "mod_revision");
}

JsonObject FakeEtcd::transact(const JsonObject& question) {
  JsonObject reply;
  bool good = true;
  if (const Json* compare = question.if_contains("compare")) {
    for (const Json& condition : compare->get_array()) {
      good = good && holds(condition.get_object());
    }
  }
  JsonArray responses;
  const JsonArray& wanted = question.at("success").get_array();
  const bool writes = std::ranges::any_of(
      wanted, [](const Json& one) { return one.get_object().contains("request_put"); });
  if (good && writes) ++revision;
  for (const Json& one : wanted) {
    if (!good) break;
    JsonObject response;
    if (const Json* put = one.get_object().if_contains("request_put")) {
      Item& item = items[plain(put->get_object(), "key")];
      if (item.created == 0) item.created = revision;
      item.modified = revision;
      item.value = plain(put->get_object(), "value");
      response["response_put"] = JsonObject{{"header", header()}};
    } else {
      response["response_range"] = range(one.get_object().at("request_range").get_object());
    }
    responses.emplace_back(std::move(response));
  }
  reply["header"] = header();
  if (good) reply["succeeded"] = true;
  if (!responses.empty()) reply["responses"] = std::move(responses);
  return reply;
}

}  // namespace kith::test
