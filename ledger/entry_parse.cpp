#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/entry.hpp"
#include "ledger/entry_json.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/time.hpp"

namespace kith::ledger {

namespace {

constexpr std::string_view kEntryVersion = "kith/1";
constexpr std::size_t kSignatureBytes = 64;
constexpr std::int64_t kCounterMax = std::int64_t{1} << 40;
constexpr std::int64_t kKeysMax = static_cast<std::int64_t>(limits::kEntryKeysMax);

Result<Kind> parse_kind(std::string_view text) {
  for (const Kind kind : {Kind::did, Kind::policy, Kind::pair}) {
    if (kind_name(kind) == text) return kind;
  }
  return fail(Errc::malformed, "an unknown kind of log");
}

Result<Op> parse_op(std::string_view text) {
  for (const Op op :
       {Op::genesis, Op::update, Op::rotate, Op::recover, Op::veto, Op::move, Op::deactivate}) {
    if (op_name(op) == text) return op;
  }
  return fail(Errc::malformed, "an unknown operation");
}

/// Ops whose entries carry keys, next, rec, ledgers and state.
bool carries_content(Op op) {
  return op != Op::veto && op != Op::deactivate;
}

/// UTF-16 order, which RFC 8785 sorts by, equals byte order only while names are ASCII.
bool names_are_ascii(const Json& json) {
  if (const JsonObject* object = json.if_object(); object != nullptr) {
    for (const auto& member : *object) {
      const auto name = member.key();
      const bool ascii = std::all_of(name.begin(), name.end(),
                                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
      if (!ascii || !names_are_ascii(member.value())) return false;
    }
  } else if (const JsonArray* array = json.if_array(); array != nullptr) {
    return std::all_of(array->begin(), array->end(), names_are_ascii);
  }
  return true;
}

/// Threshold and distinct items, as keys, next and reveal share it.
Result<void> check_threshold(std::int64_t t, const std::vector<std::string>& items,
                             std::string_view what) {
  if (items.empty() || t > static_cast<std::int64_t>(items.size())) {
    return fail(Errc::malformed, std::string(what) + " has a threshold that cannot be met");
  }
  if (!all_distinct(items)) {
    return fail(Errc::malformed, std::string(what) + " names one key twice");
  }
  return {};
}

Result<KeySet> parse_keys(const JsonObject& object, std::string_view what) {
  TRY(const std::int64_t t, ranged_int(object, "t", 1, kKeysMax));
  TRY(std::vector<std::string> keys, string_list(object, "k", limits::kEntryKeysMax));
  CHECK(check_threshold(t, keys, what));
  for (const std::string& key : keys) {
    const auto parsed = signing_key(key);
    if (!parsed.has_value()) return parsed.error();
  }
  return KeySet{static_cast<std::uint32_t>(t), std::move(keys)};
}

Result<NextKeys> parse_next(const JsonObject& object) {
  CHECK(only_members(object, {"t", "kd"}, "next"));
  TRY(const std::int64_t t, ranged_int(object, "t", 1, kKeysMax));
  TRY(std::vector<std::string> digests, string_list(object, "kd", limits::kEntryKeysMax));
  CHECK(check_threshold(t, digests, "next"));
  if (!std::all_of(digests.begin(), digests.end(), [](const auto& d) { return is_digest(d); })) {
    return fail(Errc::malformed, "next holds something that is not a digest");
  }
  return NextKeys{static_cast<std::uint32_t>(t), std::move(digests)};
}

Result<RecoveryRule> parse_rec(const JsonObject& object) {
  CHECK(only_members(object, {"d", "hi", "delay", "contest"}, "rec"));
  RecoveryRule rec;
  TRY(rec.d, crypto::json_string(object, "d"));
  TRY(rec.hi, crypto::json_optional_string(object, "hi"));
  TRY(const std::int64_t delay_s, ranged_int(object, "delay", 0, kWindowMax.count()));
  TRY(const std::int64_t contest_s, ranged_int(object, "contest", 0, kWindowMax.count()));
  rec.delay = std::chrono::seconds{delay_s};
  rec.contest = std::chrono::seconds{contest_s};
  if (!is_digest(rec.d) || (rec.hi.has_value() && (!is_digest(*rec.hi) || *rec.hi == rec.d))) {
    return fail(Errc::malformed, "rec holds something that is not a digest of its own");
  }
  return rec;
}

Result<Reveal> parse_reveal(const JsonObject& object) {
  CHECK(only_members(object, {"t", "k", "salt"}, "reveal"));
  TRY(KeySet keys, parse_keys(object, "reveal"));
  TRY(std::string salt, crypto::json_string(object, "salt"));
  const auto bytes = multibase_bytes(salt, kSaltBytes, "salt");
  if (!bytes.has_value()) return bytes.error();
  return Reveal{keys.t, std::move(keys.k), std::move(salt)};
}

Result<std::vector<std::string>> parse_ledgers(const JsonObject& object) {
  TRY(std::vector<std::string> ledgers, string_list(object, "ledgers", kLedgersMax));
  for (const std::string& ledger : ledgers) {
    CHECK(plain_text(ledger, "ledger id", kLedgerIdCharsMax));
  }
  if (!all_distinct(ledgers)) return fail(Errc::malformed, "ledgers names one ledger twice");
  return ledgers;
}

Result<LogContent> parse_content(const JsonObject& object) {
  LogContent content;
  TRY(const JsonObject* keys, crypto::json_object(object, "keys"));
  CHECK(only_members(*keys, {"t", "k"}, "keys"));
  TRY(content.keys, parse_keys(*keys, "keys"));
  TRY(const JsonObject* next, crypto::json_object(object, "next"));
  TRY(content.next, parse_next(*next));
  TRY(const JsonObject* rec, crypto::json_object(object, "rec"));
  TRY(content.rec, parse_rec(*rec));
  TRY(content.ledgers, parse_ledgers(object));
  TRY(const JsonObject* state, crypto::json_object(object, "state"));
  content.state = *state;
  return content;
}

Result<std::vector<EntrySignature>> parse_signatures(const JsonObject& object) {
  TRY(const JsonArray* array, crypto::json_array(object, "sigs"));
  if (array->size() > limits::kEntryKeysMax) {
    return fail(Errc::limit_exceeded, "too many signatures");
  }
  std::vector<EntrySignature> signatures;
  for (const Json& item : *array) {
    TRY(const JsonObject* one, crypto::as_object(item, "signature"));
    CHECK(only_members(*one, {"k", "s"}, "signature"));
    EntrySignature signature;
    TRY(signature.k, crypto::json_string(*one, "k"));
    const auto key = signing_key(signature.k);
    if (!key.has_value()) return key.error();
    TRY(const std::string text, crypto::json_string(*one, "s"));
    TRY(signature.s, multibase_bytes(text, kSignatureBytes, "signature"));
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

/// A member that exactly some operations have.
Result<void> check_presence(const JsonObject& object, std::string_view member, bool expected) {
  if (object.contains(member) == expected) return {};
  return fail(Errc::malformed, std::string(member) + (expected ? " is missing" : " has no place") +
                                   " in this operation");
}

Result<void> check_members(const JsonObject& object, Op op, Signatures signatures) {
  CHECK(only_members(object,
                     {"v", "kind", "id", "n", "prev", "time", "op", "test", "keys", "next", "rec",
                      "reveal", "ref", "from", "ledgers", "state", "sigs"},
                     "the entry"));
  for (const std::string_view member : {"keys", "next", "rec", "ledgers", "state"}) {
    CHECK(check_presence(object, member, carries_content(op)));
  }
  if (op != Op::veto) CHECK(check_presence(object, "reveal", op == Op::recover));
  if (op != Op::genesis) CHECK(check_presence(object, "test", false));
  CHECK(check_presence(object, "ref", op == Op::veto));
  CHECK(check_presence(object, "from", op == Op::move));
  return check_presence(object, "sigs", signatures == Signatures::put_in);
}

Result<void> parse_head(const JsonObject& object, Entry& entry) {
  TRY(const std::string kind, crypto::json_string(object, "kind"));
  TRY(entry.kind, parse_kind(kind));
  TRY(entry.id, crypto::json_string(object, "id"));
  if (!entry.id.starts_with(kDidPrefix) ||
      !is_digest(std::string_view(entry.id).substr(kDidPrefix.size()))) {
    return fail(Errc::malformed, "id is not a did:kith identifier");
  }
  TRY(const std::int64_t n, ranged_int(object, "n", 0, kCounterMax));
  entry.n = static_cast<std::uint64_t>(n);
  TRY(entry.prev, crypto::json_string(object, "prev"));
  const bool first = entry.op == Op::genesis;
  if (first ? !entry.prev.empty() : !is_digest(entry.prev)) {
    return fail(Errc::malformed, "prev does not fit the operation");
  }
  TRY(entry.time, crypto::json_string(object, "time"));
  const auto time = protocol::from_utc_text(entry.time);
  if (!time.has_value()) return time.error();
  if (object.contains("test")) {
    const Json& test = object.at("test");
    if (!test.is_bool() || !test.get_bool()) {
      return fail(Errc::malformed, "test is true or absent");
    }
    entry.test = true;
  }
  return {};
}

Result<void> parse_optional_members(const JsonObject& object, Entry& entry) {
  if (object.contains("reveal")) {
    TRY(const JsonObject* reveal, crypto::json_object(object, "reveal"));
    TRY(entry.reveal, parse_reveal(*reveal));
  }
  TRY(entry.ref, crypto::json_optional_string(object, "ref"));
  if (entry.ref.has_value() && !is_digest(*entry.ref)) {
    return fail(Errc::malformed, "ref is not the hash of an entry");
  }
  TRY(entry.from, crypto::json_optional_string(object, "from"));
  if (entry.from.has_value()) CHECK(plain_text(*entry.from, "from", kLedgerIdCharsMax));
  return {};
}

JsonObject keys_json(std::uint32_t t, const std::vector<std::string>& keys) {
  JsonObject object;
  object["t"] = static_cast<std::int64_t>(t);
  object["k"] = json_strings(keys);
  return object;
}

void put_content(JsonObject& object, const LogContent& content) {
  object["keys"] = keys_json(content.keys.t, content.keys.k);
  JsonObject next;
  next["t"] = static_cast<std::int64_t>(content.next.t);
  next["kd"] = json_strings(content.next.kd);
  object["next"] = std::move(next);
  JsonObject rec;
  rec["d"] = content.rec.d;
  if (content.rec.hi.has_value()) rec["hi"] = *content.rec.hi;
  rec["delay"] = static_cast<std::int64_t>(content.rec.delay.count());
  rec["contest"] = static_cast<std::int64_t>(content.rec.contest.count());
  object["rec"] = std::move(rec);
  object["ledgers"] = json_strings(content.ledgers);
  object["state"] = content.state;
}

JsonArray signatures_json(const std::vector<EntrySignature>& signatures) {
  JsonArray array;
  for (const EntrySignature& signature : signatures) {
    JsonObject one;
    one["k"] = signature.k;
    one["s"] = crypto::multibase(signature.s);
    array.emplace_back(std::move(one));
  }
  return array;
}

}  // namespace

Json reveal_json(const Reveal& reveal) {
  JsonObject object = keys_json(reveal.t, reveal.k);
  object["salt"] = reveal.salt;
  return object;
}

Json entry_json(const Entry& entry, Signatures signatures) {
  JsonObject object;
  object["v"] = kEntryVersion;
  object["kind"] = kind_name(entry.kind);
  object["id"] = entry.id;
  object["n"] = static_cast<std::int64_t>(entry.n);
  object["prev"] = entry.prev;
  object["time"] = entry.time;
  object["op"] = op_name(entry.op);
  if (entry.test) object["test"] = true;
  if (entry.content.has_value()) put_content(object, *entry.content);
  if (entry.reveal.has_value()) object["reveal"] = reveal_json(*entry.reveal);
  if (entry.ref.has_value()) object["ref"] = *entry.ref;
  if (entry.from.has_value()) object["from"] = *entry.from;
  if (signatures == Signatures::put_in) object["sigs"] = signatures_json(entry.sigs);
  return object;
}

Result<Entry> entry_from_json(const Json& json, Signatures signatures) {
  TRY(const JsonObject* object, crypto::as_object(json, "the entry"));
  TRY(const std::string version, crypto::json_string(*object, "v"));
  if (version != kEntryVersion) return fail(Errc::unsupported, "another version of the log format");
  Entry entry;
  TRY(const std::string op, crypto::json_string(*object, "op"));
  TRY(entry.op, parse_op(op));
  CHECK(check_members(*object, entry.op, signatures));
  CHECK(parse_head(*object, entry));
  if (carries_content(entry.op)) {
    TRY(entry.content, parse_content(*object));
    if (entry.kind == Kind::pair && !entry.content->ledgers.empty()) {
      return fail(Errc::malformed, "a microledger is on no ledger");
    }
  }
  CHECK(parse_optional_members(*object, entry));
  if (signatures == Signatures::put_in) {
    TRY(entry.sigs, parse_signatures(*object));
  }
  return entry;
}

Result<Entry> parse_entry(ByteView blob) {
  if (blob.size() > limits::kEntryBytesMax) {
    return fail(Errc::limit_exceeded, "an entry of more than 16 KiB");
  }
  const crypto::JsonLimits json_limits{limits::kEntryBytesMax, limits::kEntryDepthMax, false,
                                       false};
  const std::string_view text = crypto::as_text(blob);
  TRY(const Json json, crypto::parse_json(text, json_limits));
  if (!names_are_ascii(json)) return fail(Errc::malformed, "a member name that is not ASCII");
  if (crypto::canonical_json(json) != text) {
    return fail(Errc::malformed, "the entry is not in canonical form");
  }
  return entry_from_json(json, Signatures::put_in);
}

}  // namespace kith::ledger
