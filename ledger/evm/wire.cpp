#include "ledger/evm/wire.hpp"

#include <algorithm>
#include <limits>

#include "ledger/evm/abi.hpp"
#include "ledger/evm/limits.hpp"

namespace kith::ledger::evm {

namespace {

constexpr std::int64_t kQuestionId = 1;

Error no_quantity() {
  return fail(Errc::malformed, "evm: a number is not written as numbers are");
}

/// The digits, without leading zeros.
Result<std::string_view> quantity_digits(const Json& json) {
  if (!json.is_string()) return no_quantity();
  std::string_view text = crypto::json_chars(json);
  if (!text.starts_with("0x")) return no_quantity();
  text.remove_prefix(2);
  const bool good = !text.empty() && text.size() <= evm_limits::kNumberDigitsMax &&
                    (text.size() == 1 || text.front() != '0') &&
                    text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (!good) return no_quantity();
  return text;
}

std::uint64_t number_of(std::string_view digits) {
  std::uint64_t number = 0;
  for (const char c : digits) {
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    number = number << 4U | static_cast<std::uint64_t>(digit);
  }
  return number;
}

Result<const Json*> member_of(const JsonObject& object, std::string_view name) {
  const Json* value = object.if_contains(name);
  if (value == nullptr) {
    return fail(Errc::malformed, "evm: an answer without " + std::string(name));
  }
  return value;
}

Result<std::uint64_t> number_in(const JsonObject& object, std::string_view name) {
  TRY(const Json* value, member_of(object, name));
  return read_quantity(*value);
}

Result<Hash> hash_in(const JsonObject& object, std::string_view name) {
  TRY(const Json* value, member_of(object, name));
  return read_hash(*value);
}

Result<std::uint64_t> block_number_in(const JsonObject& object, std::string_view name) {
  TRY(const std::uint64_t number, number_in(object, name));
  if (number >> evm_limits::kPositionBlockBits != 0) {
    return fail(Errc::malformed, "evm: a block of too high a number");
  }
  return number;
}

Result<Account> account_in(const JsonObject& object, std::string_view name) {
  TRY(const std::string text, crypto::json_string(object, name));
  return parse_account(text);
}

/// nullopt: its data are no entry's.
Result<std::optional<PostedEvent>> read_event(const LogFilter& asked, const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "evm: an event"));
  PostedEvent event;
  TRY(event.block, block_number_in(*object, "blockNumber"));
  TRY(event.block_hash, hash_in(*object, "blockHash"));
  TRY(event.index, number_in(*object, "logIndex"));
  TRY(const Account contract, account_in(*object, "address"));
  TRY(const JsonArray* topics, crypto::json_array(*object, "topics"));
  if (topics->size() != 2) return fail(Errc::malformed, "evm: an event of another form");
  TRY(const Hash topic, read_hash(topics->at(0)));
  TRY(event.subject, read_hash(topics->at(1)));
  const bool wanted = contract == asked.contract && topic == posted_topic() &&
                      (!asked.subject || *asked.subject == event.subject) &&
                      event.block >= asked.first && event.block <= asked.last;
  if (!wanted) return fail(Errc::malformed, "evm: an event that was not asked for");
  if (event.index >> evm_limits::kPositionIndexBits != 0) {
    return fail(Errc::malformed, "evm: an event of too high a number");
  }
  TRY(const Json* encoded, member_of(*object, "data"));
  TRY(const Bytes bytes, read_bytes(*encoded));
  auto data = posted_data(bytes);
  if (!data.has_value()) return std::optional<PostedEvent>();
  event.data = std::move(*data);
  return std::optional<PostedEvent>(std::move(event));
}

std::string shown(std::string_view words) {
  std::string text(words.substr(0, evm_limits::kWordsMax));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

std::string question_text(std::string_view method, const JsonArray& parameters) {
  JsonObject object;
  object["jsonrpc"] = "2.0";
  object["id"] = kQuestionId;
  object["method"] = method;
  object["params"] = parameters;
  return crypto::json_text(object);
}

Result<std::variant<Json, Refusal>> read_answer(std::string_view body, std::size_t bytes_max) {
  using Answer = std::variant<Json, Refusal>;
  TRY(Json json, crypto::parse_json(body, {bytes_max, evm_limits::kAnswerDepth, true, true}));
  TRY(const JsonObject* object, crypto::as_object(json, "evm: answer"));
  if (const Json* error = object->if_contains("error"); error != nullptr && !error->is_null()) {
    TRY(const JsonObject* why, crypto::as_object(*error, "evm: error"));
    Refusal refusal;
    TRY(refusal.code, crypto::json_int(*why, "code"));
    refusal.words = shown(crypto::json_text_of(*why, "message"));
    return Answer(std::move(refusal));
  }
  TRY(const std::int64_t id, crypto::json_int(*object, "id"));
  if (id != kQuestionId) return fail(Errc::malformed, "evm: the answer to another question");
  Json* result = json.get_object().if_contains("result");
  if (result == nullptr) return fail(Errc::malformed, "evm: an answer without result");
  return Answer(std::move(*result));
}

std::string quantity_text(std::uint64_t number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[number & 0xfU]);
    number >>= 4U;
  } while (number != 0);
  return "0x" + digits;
}

Result<std::uint64_t> read_quantity(const Json& json) {
  TRY(const std::string_view digits, quantity_digits(json));
  if (digits.size() > 16) return fail(Errc::malformed, "evm: a number is too large");
  return number_of(digits);
}

Result<std::uint64_t> read_large_quantity(const Json& json) {
  TRY(const std::string_view digits, quantity_digits(json));
  if (digits.size() > 16) return std::numeric_limits<std::uint64_t>::max();
  return number_of(digits);
}

std::string bytes_text(ByteView bytes) {
  return "0x" + crypto::hex(bytes);
}

Result<Bytes> read_bytes(const Json& json) {
  if (!json.is_string() || !crypto::json_chars(json).starts_with("0x")) {
    return fail(Errc::malformed, "evm: bytes are not written as bytes are");
  }
  return crypto::from_hex(crypto::json_chars(json).substr(2));
}

Result<Hash> read_hash(const Json& json) {
  TRY(const Bytes bytes, read_bytes(json));
  Hash hash{};
  if (bytes.size() != hash.size()) return fail(Errc::malformed, "evm: a hash of another length");
  std::ranges::copy(bytes, hash.begin());
  return hash;
}

Result<std::optional<Block>> read_block(const Json& result) {
  if (result.is_null()) return std::optional<Block>();
  TRY(const JsonObject* object, crypto::as_object(result, "evm: a block"));
  Block block;
  TRY(block.number, block_number_in(*object, "number"));
  TRY(block.hash, hash_in(*object, "hash"));
  TRY(block.time_s, number_in(*object, "timestamp"));
  if (object->contains("baseFeePerGas")) {
    TRY(block.base_fee, number_in(*object, "baseFeePerGas"));
  }
  constexpr std::uint64_t kTimeMax = 253'402'300'799;  // Of the year 9999: kAnchorTimeMax.
  if (block.time_s > kTimeMax) return fail(Errc::malformed, "evm: a block of an impossible time");
  return std::optional<Block>(block);
}

JsonArray filter_json(const LogFilter& filter) {
  JsonArray topics{bytes_text(posted_topic())};
  if (filter.subject) topics.emplace_back(bytes_text(*filter.subject));
  JsonObject object;
  object["address"] = bytes_text(filter.contract);
  object["topics"] = std::move(topics);
  object["fromBlock"] = quantity_text(filter.first);
  object["toBlock"] = quantity_text(filter.last);
  JsonArray parameters;
  parameters.emplace_back(std::move(object));
  return parameters;
}

Result<std::vector<PostedEvent>> read_events(const LogFilter& asked, const Json& result) {
  if (!result.is_array()) return fail(Errc::malformed, "evm: events are a list");
  std::vector<PostedEvent> events;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> last;
  for (const Json& json : result.get_array()) {
    // Of a block that was replaced meanwhile.
    if (json.is_object() && crypto::json_true(json.get_object(), "removed")) continue;
    TRY(auto event, read_event(asked, json));
    if (!event) continue;
    const std::pair place{event->block, event->index};
    const bool same_block = last && last->first == event->block;
    if ((last && place <= *last) ||
        (same_block && !events.empty() && events.back().block_hash != event->block_hash)) {
      return fail(Errc::malformed, "evm: events run back");
    }
    last = place;
    events.push_back(std::move(*event));
  }
  return events;
}

Result<std::optional<Receipt>> read_receipt(const Hash& transaction, const Json& result) {
  if (result.is_null()) return std::optional<Receipt>();
  TRY(const JsonObject* object, crypto::as_object(result, "evm: a receipt"));
  TRY(const Hash of, hash_in(*object, "transactionHash"));
  if (of != transaction) return fail(Errc::malformed, "evm: another transaction's receipt");
  Receipt receipt;
  const Json* block = object->if_contains("blockNumber");
  if (block == nullptr || block->is_null()) return std::optional<Receipt>();
  TRY(receipt.block, block_number_in(*object, "blockNumber"));
  TRY(const std::uint64_t status, number_in(*object, "status"));
  if (status > 1) return fail(Errc::malformed, "evm: a status that is none");
  receipt.success = status == 1;
  const Json* contract = object->if_contains("contractAddress");
  if (contract != nullptr && !contract->is_null()) {
    TRY(receipt.contract, account_in(*object, "contractAddress"));
  }
  return std::optional<Receipt>(receipt);
}

}  // namespace kith::ledger::evm
