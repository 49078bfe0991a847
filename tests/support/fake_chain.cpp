#include "tests/support/fake_chain.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "crypto/ec_secp256k1.hpp"
#include "ledger/evm/abi.hpp"
#include "ledger/evm/contract.hpp"
#include "ledger/evm/rlp.hpp"

namespace kith::test {

namespace evm = ledger::evm;

namespace {

/// What the server says no with; caught where answers are made.
struct ChainRefusal {
  int code;
  std::string words;
};

std::size_t big_endian(ByteView bytes) {
  std::size_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8U | byte;
  return number;
}

/// The content of the item that `rest` begins with, which goes on behind it.
ByteView take_item(ByteView& rest) {
  const std::uint8_t first = rest.front();
  if (first < 0x80) {
    const ByteView content = rest.first(1);
    rest = rest.subspan(1);
    return content;
  }
  const std::uint8_t base = first >= 0xc0 ? 0xc0 : 0x80;
  std::size_t head = 1;
  std::size_t size = first - base;
  if (size > 55) {
    head += size - 55;
    size = big_endian(rest.subspan(1, head - 1));
  }
  const ByteView content = rest.subspan(head, size);
  rest = rest.subspan(head + size);
  return content;
}

evm::Account account_from(ByteView bytes) {
  evm::Account account{};
  std::ranges::copy(bytes, account.begin());
  return account;
}

std::string text_at(const JsonArray& parameters, std::size_t at) {
  return std::string(crypto::json_chars(parameters.at(at)));
}

}  // namespace

ChainTransaction decode_transaction(const Bytes& raw) {
  ByteView rest = ByteView(raw).subspan(1);
  rest = take_item(rest);
  std::vector<ByteView> items;
  while (!rest.empty()) items.push_back(take_item(rest));
  if (raw.front() != 2 || items.size() != 12) throw std::runtime_error("no transaction of type 2");
  ChainTransaction out;
  out.hash = evm::keccak256(raw);
  evm::Transaction& fields = out.fields;
  fields.chain = big_endian(items[0]);
  fields.nonce = big_endian(items[1]);
  fields.tip = big_endian(items[2]);
  fields.fee_max = big_endian(items[3]);
  fields.gas = big_endian(items[4]);
  if (!items[5].empty()) fields.to = account_from(items[5]);
  fields.value = big_endian(items[6]);
  fields.input = crypto::to_bytes(items[7]);
  Bytes signature(65);
  std::copy(items[10].begin(), items[10].end(),
            signature.begin() + static_cast<std::ptrdiff_t>(32 - items[10].size()));
  std::copy(items[11].begin(), items[11].end(),
            signature.begin() + static_cast<std::ptrdiff_t>(64 - items[11].size()));
  signature.back() = static_cast<std::uint8_t>(big_endian(items[9]));
  const Bytes key = crypto::secp256k1_recover(evm::signing_hash(fields), signature).value();
  out.from = evm::account_of({crypto::KeyType::secp256k1, key}).value();
  return out;
}

evm::Signer chain_signer(std::uint8_t seed) {
  const Bytes key(32, seed);
  const auto pair = crypto::secp256k1_from_private(SecretBytes::copy_of(key));
  return {evm::account_of(pair.value().public_key).value(),
          [key](ByteView hash) { return crypto::secp256k1_sign_recoverable(key, hash); }};
}

FakeChain::FakeChain(std::uint64_t confirmations) {
  where = evm::Location::parse_chain("evm://chain.example/1337").value();
  where.contract = evm::Account{0xc0};
  where.confirmations = confirmations;
  add_block({});
  blocks.front().time_s = 1'795'000'000;
}

evm::Session FakeChain::session(std::uint8_t seed) const {
  return {where, chain_signer(seed)};
}

ledger::JobExchange FakeChain::exchange() {
  return [this](const ledger::JobQuestion& question) { return answer(question); };
}

void FakeChain::add_block(std::vector<ChainTransaction> transactions) {
  ChainBlock block;
  Bytes seed;
  crypto::append_u64_be(seed, ++salt_);
  block.hash = evm::keccak256(seed);
  block.time_s = blocks.empty() ? 0 : blocks.back().time_s + 1;
  block.time_s += static_cast<std::uint64_t>(std::exchange(skipped_, {}).count());
  std::uint64_t events = 0;
  for (ChainTransaction& one : transactions) {
    one.success = !without_effect;
    one.first_event = events++;
  }
  block.transactions = std::move(transactions);
  blocks.push_back(std::move(block));
}

void FakeChain::mine() {
  std::vector<ChainTransaction> in;
  const auto fits = [&](const ChainTransaction& one) {
    const auto same = [&](const ChainTransaction& other) { return other.from == one.from; };
    const auto before = static_cast<std::uint64_t>(std::ranges::count_if(in, same));
    return one.fields.fee_max >= base_fee && one.fields.nonce == nonce_of(one.from) + before;
  };
  for (bool more = true; more;) {
    const auto next = std::ranges::find_if(waiting, fits);
    more = next != waiting.end();
    if (!more) break;
    in.push_back(*next);
    waiting.erase(next);
  }
  add_block(std::move(in));
}

void FakeChain::mine(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) mine();
}

void FakeChain::replace(std::size_t depth, bool keep_transactions) {
  for (std::size_t i = 0; i < depth; ++i) {
    for (const ChainTransaction& one : blocks.back().transactions) {
      if (keep_transactions) waiting.push_front(one);
    }
    blocks.pop_back();
  }
  for (std::size_t i = 0; i < depth; ++i) add_block({});
}

void FakeChain::post(const std::string& subject, Bytes data) {
  ChainTransaction one;
  Bytes seed;
  crypto::append_u64_be(seed, ++salt_);
  one.hash = evm::keccak256(seed);
  one.from = evm::Account{0xee};
  one.fields.to = where.contract;
  one.fields.input = evm::post_input(evm::subject_topic(subject).value(), data);
  add_block({one});
}

std::uint64_t FakeChain::nonce_of(const evm::Account& account) const {
  std::uint64_t nonce = 0;
  for (const ChainBlock& block : blocks) {
    for (const ChainTransaction& one : block.transactions) {
      if (one.from == account) ++nonce;
    }
  }
  return nonce;
}

std::size_t FakeChain::count_of(const Bytes& data) const {
  std::size_t count = 0;
  for (const ChainBlock& block : blocks) {
    for (const ChainTransaction& one : block.transactions) {
      const Bytes& input = one.fields.input;
      const bool same =
          input.size() > 36 &&
          input == evm::post_input(
                       [&] {
                         evm::Hash subject{};
                         std::copy(input.begin() + 4, input.begin() + 36, subject.begin());
                         return subject;
                       }(),
                       data);
      if (same && one.success) ++count;
    }
  }
  return count;
}

Result<ledger::HttpReply> FakeChain::answer(const ledger::JobQuestion& question) {
  if (question.wait.count() > 0 && mine_on_wait) mine();
  const Json json = crypto::parse_json(question.http.body).value();
  const JsonObject& object = json.get_object();
  const std::string method = crypto::json_string(object, "method").value();
  asked.push_back(method);
  JsonObject reply;
  reply["jsonrpc"] = "2.0";
  reply["id"] = object.at("id");
  try {
    reply["result"] = serve(method, object.at("params").get_array());
  } catch (const ChainRefusal& refusal) {
    reply["error"] = JsonObject{{"code", refusal.code}, {"message", refusal.words}};
  }
  std::string body = crypto::json_text(reply);
  if (body.size() > question.answer_bytes) return fail(Errc::limit_exceeded, "too long");
  return ledger::HttpReply{200, "application/json", std::move(body)};
}

Json FakeChain::serve(const std::string& method, const JsonArray& parameters) {
  if (method == "eth_chainId") return Json(evm::quantity_text(chain));
  if (method == "eth_getBlockByNumber") {
    const std::string which = text_at(parameters, 0);
    if (which == "latest") return block_json(height());
    if (which == "finalized") {
      if (!knows_finalized) throw ChainRefusal{-32602, "invalid block tag"};
      return height() < 2 ? Json() : block_json(height() - 2);
    }
    return block_json(evm::read_quantity(parameters.at(0)).value());
  }
  if (method == "eth_getLogs") return events(parameters.at(0).get_object());
  if (method == "eth_getTransactionCount") {
    const auto account = evm::parse_account(text_at(parameters, 0)).value();
    return Json(evm::quantity_text(nonce_of(account)));
  }
  if (method == "eth_maxPriorityFeePerGas") {
    if (!knows_tip) throw ChainRefusal{-32601, "the method does not exist"};
    return Json("0x3b9aca00");
  }
  if (method == "eth_estimateGas") return Json("0x186a0");
  if (method == "eth_getBalance") return Json(evm::quantity_text(balance));
  if (method == "eth_sendRawTransaction") {
    return send(evm::read_bytes(parameters.at(0)).value());
  }
  if (method == "eth_getTransactionReceipt") return receipt(text_at(parameters, 0));
  if (method == "eth_getCode") {
    return Json(has_contract ? evm::bytes_text(evm::contract_code()) : "0x");
  }
  throw ChainRefusal{-32601, "the method does not exist"};
}

Json FakeChain::block_json(std::uint64_t number) const {
  if (number >= blocks.size()) return Json();
  JsonObject object;
  object["number"] = evm::quantity_text(number);
  object["hash"] = evm::bytes_text(blocks[number].hash);
  object["timestamp"] = evm::quantity_text(blocks[number].time_s);
  object["baseFeePerGas"] = evm::quantity_text(base_fee);
  return object;
}

Json FakeChain::events(const JsonObject& filter) const {
  const std::uint64_t first = evm::read_quantity(filter.at("fromBlock")).value();
  const std::uint64_t last = evm::read_quantity(filter.at("toBlock")).value();
  if (blocks_max != 0 && last - first >= blocks_max) throw ChainRefusal{-32005, "range too large"};
  const JsonArray& topics = filter.at("topics").get_array();
  JsonArray list;
  for (std::uint64_t number = first; number <= last && number < blocks.size(); ++number) {
    for (const ChainTransaction& one : blocks[number].transactions) {
      if (!one.success || !one.fields.to) continue;
      const ByteView input = one.fields.input;
      const std::string subject = evm::bytes_text(input.subspan(4, 32));
      if (topics.size() > 1 && topics.at(1) != Json(subject)) continue;
      Bytes data = crypto::to_bytes(input.subspan(36));
      data[31] = 32;
      JsonObject event;
      event["address"] = evm::bytes_text(*one.fields.to);
      event["topics"] = JsonArray{topics.at(0), subject};
      event["data"] = evm::bytes_text(data);
      event["blockNumber"] = evm::quantity_text(number);
      event["blockHash"] = evm::bytes_text(blocks[number].hash);
      event["logIndex"] = evm::quantity_text(one.first_event);
      list.emplace_back(std::move(event));
    }
  }
  if (events_max != 0 && list.size() > events_max) throw ChainRefusal{-32005, "too many results"};
  return list;
}

Json FakeChain::receipt(const std::string& hash) const {
  for (std::uint64_t number = 0; number < blocks.size(); ++number) {
    for (const ChainTransaction& one : blocks[number].transactions) {
      if (evm::bytes_text(one.hash) != hash) continue;
      JsonObject object;
      object["transactionHash"] = hash;
      object["blockNumber"] = evm::quantity_text(number);
      object["status"] = one.success ? "0x1" : "0x0";
      if (!one.fields.to) {
        object["contractAddress"] =
            evm::bytes_text(evm::contract_made_by(one.from, one.fields.nonce));
      }
      return object;
    }
  }
  return Json();
}

Json FakeChain::send(const Bytes& raw) {
  ChainTransaction one = decode_transaction(raw);
  if (one.fields.chain != chain) throw ChainRefusal{-32000, "invalid chain id for signer"};
  if (one.fields.nonce < nonce_of(one.from)) throw ChainRefusal{-32000, "nonce too low"};
  const auto same_number = std::ranges::find_if(waiting, [&](const ChainTransaction& other) {
    return other.from == one.from && other.fields.nonce == one.fields.nonce;
  });
  if (same_number != waiting.end()) {
    if (same_number->hash == one.hash) throw ChainRefusal{-32000, "already known"};
    if (one.fields.fee_max < same_number->fields.fee_max * 11 / 10) {
      throw ChainRefusal{-32000, "replacement transaction underpriced"};
    }
    waiting.erase(same_number);
  }
  const Json hash(evm::bytes_text(one.hash));
  waiting.push_back(std::move(one));
  if (mine_at_once) mine();
  return hash;
}

bool is_sending(const ledger::JobQuestion& question) {
  return question.http.body.find("eth_sendRawTransaction") != std::string::npos;
}

}  // namespace kith::test
