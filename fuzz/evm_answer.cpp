// What a chain's server answers (ledger/evm/wire.hpp): results, refusals, and in results events,
// blocks, receipts and numbers. What was taken can be written and read again.

#include "fuzz/target.hpp"
#include "ledger/evm/abi.hpp"
#include "ledger/evm/wire.hpp"

namespace kith::fuzz {
namespace {

namespace evm = ledger::evm;

/// Of the contract 0xc0..00, of every subject, in all blocks.
evm::LogFilter everything() {
  return {evm::Account{0xc0}, {}, 0, (std::uint64_t{1} << 33) - 1};
}

Json reread(const Json& json) {
  return must(crypto::parse_json(written(crypto::json_text(json))), "own JSON");
}

bool fits_events(const Json& result) {
  const auto events = evm::read_events(everything(), result);
  if (!events.has_value()) return false;
  JsonArray list;
  for (const evm::PostedEvent& event : *events) {
    const Bytes input = evm::post_input(event.subject, event.data);
    Bytes encoded = crypto::to_bytes(ByteView(input).subspan(36));
    encoded[31] = 32;
    JsonObject object;
    object["address"] = evm::bytes_text(everything().contract);
    object["topics"] =
        JsonArray{evm::bytes_text(evm::posted_topic()), evm::bytes_text(event.subject)};
    object["data"] = evm::bytes_text(encoded);
    object["blockNumber"] = evm::quantity_text(event.block);
    object["blockHash"] = evm::bytes_text(event.block_hash);
    object["logIndex"] = evm::quantity_text(event.index);
    list.emplace_back(std::move(object));
  }
  const auto again = must(evm::read_events(everything(), reread(list)), "own events");
  hold(again.size() == events->size(), "as many events");
  for (std::size_t i = 0; i < again.size(); ++i) {
    hold(again[i].data == (*events)[i].data && again[i].subject == (*events)[i].subject,
         "the same events");
  }
  return true;
}

bool fits_block(const Json& result) {
  const auto block = evm::read_block(result);
  if (!block.has_value()) return false;
  if (!*block) return true;
  const JsonObject object{{"number", evm::quantity_text((*block)->number)},
                          {"hash", evm::bytes_text((*block)->hash)},
                          {"timestamp", evm::quantity_text((*block)->time_s)}};
  const auto again = must(evm::read_block(reread(object)), "own block");
  hold(again && again->hash == (*block)->hash && again->time_s == (*block)->time_s, "the same");
  return true;
}

bool fits_number(const Json& result) {
  const auto number = evm::read_quantity(result);
  if (!number.has_value()) return false;
  const Json text(written(evm::quantity_text(*number)));
  hold(must(evm::read_quantity(text), "own number") == *number, "the same number");
  hold(must(evm::read_large_quantity(result), "a number") == *number, "also as a large one");
  return true;
}

}  // namespace

Verdict evm_answer(ByteView input) {
  const auto answer = evm::read_answer(crypto::as_text(input), limits::kJsonBytesMax);
  if (!answer.has_value()) return Verdict::refused;
  if (const auto* refusal = std::get_if<evm::Refusal>(&*answer)) {
    hold_bounded(refusal->words.size(), input.size());
    return Verdict::accepted;
  }
  const Json& result = std::get<Json>(*answer);
  evm::Hash hash{};
  hash.fill(0xaa);
  const bool is_receipt = evm::read_receipt(hash, result).has_value();
  const bool is_bytes = evm::read_bytes(result).has_value();
  const bool is_number = fits_number(result);
  const bool is_block = fits_block(result);
  const bool known = fits_events(result) || is_block || is_number || is_bytes || is_receipt;
  return known ? Verdict::accepted : Verdict::refused;
}

}  // namespace kith::fuzz
