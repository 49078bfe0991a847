#include "ledger/etcd/wire.hpp"

#include <optional>

#include "crypto/assert.hpp"
#include "ledger/etcd/limits.hpp"
#include "ledger/signed_note.hpp"

namespace kith::ledger {

namespace {

std::string base64_text(std::string_view text) {
  return base64(crypto::as_bytes(text));
}

JsonObject range_json(const EtcdRange& range) {
  JsonObject object;
  object["key"] = base64_text(range.first);
  if (range.end.empty()) return object;
  object["range_end"] = base64_text(range.end);
  object["limit"] = std::to_string(range.limit);
  object["sort_order"] = "ASCEND";
  object["sort_target"] = "CREATE";
  if (range.from > 0) object["min_create_revision"] = std::to_string(range.from);
  if (range.keys_only) object["keys_only"] = true;
  return object;
}

/// 64-bit numbers come as strings; zero is left out. Never beyond what JSON tells exactly, which
/// would take a cluster of a million writes a second three hundred years.
Result<std::uint64_t> number(const JsonObject& object, std::string_view member) {
  if (!object.contains(member)) return std::uint64_t{0};
  TRY(const std::string text, crypto::json_string(object, member));
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return fail(Errc::malformed, "etcd: a number has other characters");
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (value > std::uint64_t{crypto::kJsonIntegerMax}) {
      return fail(Errc::malformed, "etcd: a number is too large");
    }
  }
  if (text.empty() || (text.size() > 1 && text.front() == '0')) {
    return fail(Errc::malformed, "etcd: a number is not written as numbers are");
  }
  return value;
}

Result<bool> truth(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return false;
  if (!value->is_bool()) return fail(Errc::malformed, "etcd: neither true nor false");
  return value->get_bool();
}

Result<std::string> bytes_text(const JsonObject& object, std::string_view member) {
  if (!object.contains(member)) return std::string();
  TRY(const std::string text, crypto::json_string(object, member));
  TRY(const Bytes bytes, from_base64(text));
  return std::string(crypto::as_text(bytes));
}

Result<std::uint64_t> header_revision(const JsonObject& answer) {
  TRY(const JsonObject* header, crypto::json_object(answer, "header"));
  return number(*header, "revision");
}

bool in_range(const EtcdRange& asked, const std::string& key) {
  return asked.end.empty() ? key == asked.first : key >= asked.first && key < asked.end;
}

Result<EtcdPair> read_pair(const EtcdRange& asked, const Json& json, std::uint64_t revision) {
  TRY(const JsonObject* object, crypto::as_object(json, "etcd: a key"));
  EtcdPair pair;
  TRY(pair.key, bytes_text(*object, "key"));
  TRY(pair.value, bytes_text(*object, "value"));
  TRY(pair.created, number(*object, "create_revision"));
  TRY(pair.modified, number(*object, "mod_revision"));
  if (!in_range(asked, pair.key))
    return fail(Errc::malformed, "etcd: a key that was not asked for");
  const bool fits = pair.created > 0 && pair.created >= asked.from &&
                    pair.created <= pair.modified && pair.modified <= revision;
  if (!fits) return fail(Errc::malformed, "etcd: revisions that do not fit together");
  if (asked.keys_only && !pair.value.empty()) {
    return fail(Errc::malformed, "etcd: a value that was not asked for");
  }
  return pair;
}

Result<EtcdPairs> read_pairs(const EtcdRange& asked, const JsonObject& answer) {
  TRY(const std::uint64_t revision, header_revision(answer));
  EtcdPairs read;
  TRY(read.more, truth(answer, "more"));
  if (!answer.contains("kvs")) {
    if (read.more) return fail(Errc::malformed, "etcd: an empty page that is not the last");
    return read;
  }
  TRY(const JsonArray* list, crypto::json_array(answer, "kvs"));
  if (list->size() > asked.limit) return fail(Errc::limit_exceeded, "etcd: more than asked for");
  for (const Json& json : *list) {
    TRY(EtcdPair pair, read_pair(asked, json, revision));
    if (!read.pairs.empty() && pair.created < read.pairs.back().created) {
      return fail(Errc::malformed, "etcd: revisions run back");
    }
    read.pairs.push_back(std::move(pair));
  }
  return read;
}

/// etcd has no codes of its own in this form: the number is gRPC's, the words tell the rest.
constexpr std::int64_t kInvalidArgument = 3;
constexpr std::int64_t kUnauthenticated = 16;
constexpr std::string_view kNoName = "etcdserver: user name is empty";
constexpr std::string_view kWrong =
    "etcdserver: authentication failed, invalid user ID or password";
constexpr std::string_view kOff = "etcdserver: authentication is not enabled";
constexpr std::string_view kOldToken = "etcdserver: revision of auth store is old";

struct Reason {
  std::int64_t code = 0;
  std::string words;
};

std::optional<Reason> read_reason(std::string_view body) {
  const auto json = parse_answer(body);
  const JsonObject* object = json.has_value() ? json->if_object() : nullptr;
  if (object == nullptr) return std::nullopt;
  const auto code = crypto::json_int(*object, "code");
  auto words = crypto::json_string(*object, "message");
  if (!code.has_value() || !words.has_value()) return std::nullopt;
  return Reason{*code, std::move(*words)};
}

}  // namespace

std::string after_prefix(std::string prefix) {
  ASSERT(!prefix.empty() && prefix.back() >= 0 && prefix.back() < 127);
  ++prefix.back();
  return prefix;
}

std::string range_question(const EtcdRange& range) {
  return crypto::json_text(range_json(range));
}

std::string ranges_question(std::span<const EtcdRange> ranges) {
  JsonArray list;
  for (const EtcdRange& range : ranges) {
    JsonObject one;
    one["request_range"] = range_json(range);
    list.emplace_back(std::move(one));
  }
  JsonObject object;
  object["success"] = std::move(list);
  return crypto::json_text(object);
}

std::string write_question(const EtcdWrite& write) {
  JsonArray conditions;
  const auto revision_is = [&](const std::string& key, const char* target, const char* member,
                               std::uint64_t revision) {
    JsonObject condition;
    condition["key"] = base64_text(key);
    condition["target"] = target;
    condition["result"] = "EQUAL";
    condition[member] = std::to_string(revision);
    conditions.emplace_back(std::move(condition));
  };
  revision_is(write.absent, "CREATE", "create_revision", 0);
  if (!write.unchanged.empty()) revision_is(write.unchanged, "MOD", "mod_revision", write.revision);
  JsonArray puts;
  for (const auto& [key, value] : write.puts) {
    JsonObject put;
    put["key"] = base64_text(key);
    put["value"] = base64_text(value);
    JsonObject one;
    one["request_put"] = std::move(put);
    puts.emplace_back(std::move(one));
  }
  JsonObject object;
  object["compare"] = std::move(conditions);
  object["success"] = std::move(puts);
  return crypto::json_text(object);
}

Result<Json> parse_answer(std::string_view body) {
  return crypto::parse_json(body, {limits::kJsonBytesMax, etcd_limits::kAnswerDepth, false, false});
}

Result<EtcdPairs> read_range(const EtcdRange& asked, const Json& answer) {
  TRY(const JsonObject* object, crypto::as_object(answer, "etcd: answer"));
  return read_pairs(asked, *object);
}

Result<std::vector<EtcdPairs>> read_ranges(std::span<const EtcdRange> asked, const Json& answer) {
  TRY(const JsonObject* object, crypto::as_object(answer, "etcd: answer"));
  TRY(const JsonArray* responses, crypto::json_array(*object, "responses"));
  if (responses->size() != asked.size()) {
    return fail(Errc::malformed, "etcd: not as many answers as questions");
  }
  std::vector<EtcdPairs> read;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    TRY(const JsonObject* one, crypto::as_object(responses->at(i), "etcd: response"));
    TRY(const JsonObject* range, crypto::json_object(*one, "response_range"));
    TRY(EtcdPairs pairs, read_pairs(asked[i], *range));
    read.push_back(std::move(pairs));
  }
  return read;
}

Result<EtcdWritten> read_written(const Json& answer) {
  TRY(const JsonObject* object, crypto::as_object(answer, "etcd: answer"));
  EtcdWritten written;
  TRY(written.done, truth(*object, "succeeded"));
  TRY(written.revision, header_revision(*object));
  if (written.done && written.revision == 0) {
    return fail(Errc::malformed, "etcd: written at no revision");
  }
  return written;
}

Result<std::string> read_token(const Json& answer) {
  TRY(const JsonObject* object, crypto::as_object(answer, "etcd: answer"));
  TRY(std::string token, crypto::json_string(*object, "token"));
  // It goes into a header field.
  const bool plain = !token.empty() && token.size() <= etcd_limits::kTokenCharsMax &&
                     token.find_first_not_of(
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "0123456789-._~+/=") == std::string::npos;
  if (!plain) return fail(Errc::malformed, "etcd: a token that is none");
  return token;
}

Result<bool> read_has_leader(const Json& answer) {
  TRY(const JsonObject* object, crypto::as_object(answer, "etcd: answer"));
  // Member ids are hashes and use all 64 bits, so they are not read as numbers here.
  const Json* leader = object->if_contains("leader");
  if (leader == nullptr) return false;
  if (!leader->is_string()) return fail(Errc::malformed, "etcd: a leader that is no number");
  return leader->get_string() != "0" && !leader->get_string().empty();
}

EtcdRefusal read_refusal(int status, std::string_view body) {
  if (status == 408 || status == 429 || status >= 500) return EtcdRefusal::try_elsewhere;
  const auto reason = read_reason(body);
  if (!reason) {
    return status == 401   ? EtcdRefusal::token_expired
           : status == 403 ? EtcdRefusal::not_allowed
                           : EtcdRefusal::no_gateway;
  }
  if (reason->code == kUnauthenticated || reason->words == kOldToken) {
    return EtcdRefusal::token_expired;
  }
  if (reason->words == kOff) return EtcdRefusal::no_logins_here;
  if (reason->code == kInvalidArgument && reason->words == kNoName) {
    return EtcdRefusal::login_needed;
  }
  if (reason->code == kInvalidArgument && reason->words == kWrong) return EtcdRefusal::login_wrong;
  if (status == 403) return EtcdRefusal::not_allowed;
  return EtcdRefusal::bad_question;
}

}  // namespace kith::ledger
