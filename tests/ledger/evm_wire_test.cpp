// Addresses of ledgers on chains, and answers of their servers: good ones, and all that a stranger
// can make of them.

#include "ledger/evm/wire.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/evm/abi.hpp"
#include "ledger/evm/limits.hpp"
#include "ledger/evm/location.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

namespace evm = ledger::evm;
using evm::Location;

const std::string kContract = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

// Addresses.

TEST(EvmLocation, ReadsWhatItWrites) {
  const auto plain = must(Location::parse("evm://localhost/31337/" + kContract));
  EXPECT_EQ(plain.server, "localhost:8545");
  EXPECT_EQ(plain.chain, 31337U);
  EXPECT_EQ(evm::account_text(plain.contract.value()), kContract);
  EXPECT_FALSE(plain.confirmations.has_value());
  EXPECT_EQ(plain.rpc_url(), "http://localhost:8545/");
  EXPECT_EQ(plain.origin(), "kith.evm/31337/" + kContract + "/finalized");
  const auto full =
      must(Location::parse("evms://[::1]:443/1/" + kContract + "?confirmations=12&from=34"));
  EXPECT_EQ(full.rpc_url(), "https://[::1]:443/");
  EXPECT_EQ(full.confirmations, 12U);
  EXPECT_EQ(full.from, 34U);
  EXPECT_EQ(full.origin(), "kith.evm/1/" + kContract + "/12");
  for (const auto& one : {plain, full}) EXPECT_EQ(must(Location::parse(one.url())), one);
  const auto from = must(Location::parse("evm://h/1/" + kContract + "?from=9"));
  EXPECT_EQ(must(Location::parse(from.url())), from);
  const auto chain = must(Location::parse_chain("evm://h:1/7?confirmations=0"));
  EXPECT_FALSE(chain.contract.has_value());
  EXPECT_EQ(must(Location::parse_chain(chain.url())), chain);
  EXPECT_EQ(Location::parse("evm://h:1/7").error(), Errc::bad_url);
}

TEST(EvmLocation, RefusesWhatIsNone) {
  std::string wrong_case = kContract;
  wrong_case[3] = 'A';
  wrong_case[4] = 'A';
  for (const std::string& bad :
       {std::string(),
        std::string("evm:"),
        std::string("evm://"),
        std::string("evm://h"),
        std::string("evm://h/"),
        "http://h/1/" + kContract,
        "evm:///1/" + kContract,
        "evm://h//" + kContract,
        "evm://h/x/" + kContract,
        "evm://h/01/" + kContract,
        "evm://h/-1/" + kContract,
        "evm://h/99999999999999999999/" + kContract,
        "evm://h/1/" + kContract + "/",
        "evm://h/1/" + wrong_case,
        std::string("evm://h/1/0x12"),
        "evm://me:secret@h/1/" + kContract,
        "evm://h:0/1/" + kContract,
        "evm://h:99999/1/" + kContract,
        "evm://h h/1/" + kContract,
        "evm://h/1/" + kContract + "?x=1",
        "evm://h/1/" + kContract + "?confirmations=",
        "evm://h/1/" + kContract + "?confirmations=50401",
        "evm://h/1/" + kContract + "?confirmations=1&confirmations=2",
        "evm://h/1/" + kContract + "?from=8589934592",
        "evm://h/1/" + kContract + "#x",
        "evm://" + std::string(limits::kHttpUrlCharsMax, 'h') + "/1/" + kContract}) {
    const auto read = Location::parse(bad);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_EQ(read.error(), Errc::bad_url) << bad;
  }
}

// Numbers and bytes.

Json json(const std::string& text) {
  return must(crypto::parse_json(text));
}

TEST(EvmWire, NumbersHaveOneSpelling) {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{255},
                                     std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    EXPECT_EQ(must(evm::read_quantity(Json(evm::quantity_text(number)))), number);
  }
  EXPECT_EQ(evm::quantity_text(0), "0x0");
  EXPECT_EQ(must(evm::read_quantity(Json("0xFf"))), 255U);
  for (const char* bad : {R"("0x")", R"("0x00")", R"("0x01")", R"("1")", R"("0xg")", R"("0x-1")",
                          R"("")", R"("0x 1")", "1", "null", "{}", R"("0x10000000000000000")"}) {
    EXPECT_FALSE(evm::read_quantity(json(bad)).has_value()) << bad;
  }
  EXPECT_EQ(must(evm::read_large_quantity(Json("0x10000000000000000"))), ~std::uint64_t{0});
  EXPECT_FALSE(evm::read_large_quantity(Json("0x1" + std::string(64, '0'))).has_value());
  EXPECT_FALSE(evm::read_hash(Json("0x" + std::string(62, '0'))).has_value());
  EXPECT_FALSE(evm::read_bytes(Json("0x0")).has_value());
  EXPECT_FALSE(evm::read_bytes(Json("00")).has_value());
  EXPECT_FALSE(evm::read_bytes(json("7")).has_value());
}

// Answers as a whole.

Result<std::variant<Json, evm::Refusal>> answer(const std::string& text) {
  return evm::read_answer(text, limits::kJsonBytesMax);
}

TEST(EvmWire, TellsResultsFromRefusals) {
  EXPECT_EQ(std::get<Json>(must(answer(R"({"jsonrpc":"2.0","id":1,"result":null})"))), Json());
  const auto refused = std::get<evm::Refusal>(must(
      answer(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"nonce\u0007é"}})")));
  EXPECT_EQ(refused.code, -32000);
  EXPECT_EQ(refused.words, "nonce???");
  const auto chatty = std::get<evm::Refusal>(must(
      answer(R"({"id":1,"error":{"code":1,"message":")" + std::string(10'000, 'x') + R"("}})")));
  EXPECT_EQ(chatty.words.size(), ledger::evm_limits::kWordsMax);
  for (const char* bad :
       {"", "<html>", "[]", "{}", R"({"id":2,"result":1})", R"({"id":1})", R"({"result":1})",
        R"({"id":1,"error":7})", R"({"id":1,"error":{"message":"x"}})",
        R"({"id":1,"result":[[[[[[[[[1]]]]]]]]]})"}) {
    EXPECT_FALSE(answer(bad).has_value()) << bad;
  }
}

// Blocks, receipts and events: a good one, and each member changed or gone.

std::string hash_text(char digit) {
  return "0x" + std::string(64, digit);
}

TEST(EvmWire, ReadsBlocks) {
  const JsonObject good{{"number", "0x10"},
                        {"hash", hash_text('a')},
                        {"timestamp", "0x6"},
                        {"baseFeePerGas", "0x7"},
                        {"transactions", JsonArray{hash_text('b')}}};
  const auto block = must(evm::read_block(good)).value();
  EXPECT_EQ(block.number, 16U);
  EXPECT_EQ(block.time_s, 6U);
  EXPECT_EQ(block.base_fee, 7U);
  EXPECT_FALSE(must(evm::read_block(Json())).has_value());
  for (const char* member : {"number", "hash", "timestamp"}) {
    JsonObject less = good;
    less.erase(member);
    EXPECT_FALSE(evm::read_block(less).has_value()) << member;
  }
  const auto with = [&](const char* member, Json value) {
    JsonObject changed = good;
    changed[member] = std::move(value);
    return evm::read_block(changed).has_value();
  };
  EXPECT_FALSE(with("number", "0x200000000"));
  EXPECT_FALSE(with("number", Json()));  // Of a block that is not made yet.
  EXPECT_FALSE(with("hash", "0x"));
  EXPECT_FALSE(with("timestamp", "0xffffffffffffffff"));
  EXPECT_FALSE(with("baseFeePerGas", "0x10000000000000000"));
  EXPECT_FALSE(evm::read_block(json("[]")).has_value());
}

TEST(EvmWire, ReadsReceipts) {
  evm::Hash hash{};
  hash.fill(0xaa);
  const JsonObject good{{"transactionHash", hash_text('a')},
                        {"blockNumber", "0x10"},
                        {"status", "0x1"},
                        {"contractAddress", Json()}};
  EXPECT_TRUE(must(evm::read_receipt(hash, good)).value().success);
  const auto with = [&](const char* member, Json value) {
    JsonObject changed = good;
    changed[member] = std::move(value);
    return evm::read_receipt(hash, changed);
  };
  EXPECT_FALSE(must(with("status", "0x0")).value().success);
  EXPECT_EQ(must(with("contractAddress", Json(kContract))).value().contract,
            must(evm::parse_account(kContract)));
  EXPECT_FALSE(must(with("blockNumber", Json())).has_value());
  EXPECT_FALSE(must(evm::read_receipt(hash, Json())).has_value());
  EXPECT_FALSE(with("transactionHash", Json(hash_text('b'))).has_value());
  EXPECT_FALSE(with("status", "0x2").has_value());
  EXPECT_FALSE(with("status", Json()).has_value());
  EXPECT_FALSE(with("contractAddress", "0x12").has_value());
  EXPECT_FALSE(with("blockNumber", "0x200000000").has_value());
}

class EvmEvents : public ::testing::Test {
 protected:
  EvmEvents() {
    asked_.contract = must(evm::parse_account(kContract));
    asked_.subject = evm::Hash{5};
    asked_.first = 10;
    asked_.last = 20;
  }
  JsonObject event(std::uint64_t block, std::uint64_t index,
                   std::string_view data = "entry") const {
    const Bytes input = evm::post_input({}, crypto::as_bytes(data));
    Bytes encoded = crypto::to_bytes(ByteView(input).subspan(36));
    encoded[31] = 32;
    return {{"address", Json(kContract)},
            {"topics",
             JsonArray{evm::bytes_text(evm::posted_topic()), evm::bytes_text(*asked_.subject)}},
            {"data", evm::bytes_text(encoded)},
            {"blockNumber", evm::quantity_text(block)},
            {"blockHash", Json(hash_text('a'))},
            {"logIndex", evm::quantity_text(index)}};
  }
  Result<std::vector<evm::PostedEvent>> read(const std::vector<JsonObject>& events) const {
    JsonArray list;
    for (const JsonObject& one : events) list.emplace_back(one);
    return evm::read_events(asked_, list);
  }
  Result<std::vector<evm::PostedEvent>> with(const char* member, Json value) const {
    JsonObject changed = event(10, 0);
    changed[member] = std::move(value);
    return read({changed});
  }
  evm::LogFilter asked_;
};

TEST_F(EvmEvents, AreReadInTheirOrder) {
  const auto events = must(read({event(10, 0), event(10, 3, ""), event(20, 0)}));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(crypto::as_text(events[0].data), "entry");
  EXPECT_EQ(events[1].index, 3U);
  EXPECT_EQ(events[2].block, 20U);
  EXPECT_FALSE(read({event(11, 0), event(10, 0)}).has_value());
  EXPECT_FALSE(read({event(10, 1), event(10, 1)}).has_value());
  JsonObject other_hash = event(10, 1);
  other_hash["blockHash"] = hash_text('b');
  EXPECT_FALSE(read({event(10, 0), other_hash}).has_value());
}

TEST_F(EvmEvents, OfOthersOrElsewhereAreRefused) {
  ASSERT_TRUE(with("blockNumber", "0xa").has_value());
  EXPECT_FALSE(with("blockNumber", "0x9").has_value());
  EXPECT_FALSE(with("blockNumber", "0x15").has_value());
  EXPECT_FALSE(with("logIndex", "0x100000").has_value());
  EXPECT_FALSE(with("address", Json("0x" + std::string(40, '1'))).has_value());
  EXPECT_FALSE(with("data", "0x0").has_value());
  const Json topic(evm::bytes_text(evm::posted_topic()));
  EXPECT_FALSE(with("topics", JsonArray{topic}).has_value());
  EXPECT_FALSE(with("topics", JsonArray{topic, hash_text('b')}).has_value());
  EXPECT_FALSE(with("topics", JsonArray{hash_text('b'), hash_text('b')}).has_value());
  for (const char* member : {"address", "topics", "data", "blockNumber", "blockHash", "logIndex"}) {
    JsonObject less = event(10, 0);
    less.erase(member);
    EXPECT_FALSE(read({less}).has_value()) << member;
    EXPECT_FALSE(with(member, Json()).has_value()) << member;
    EXPECT_FALSE(with(member, 7).has_value()) << member;
  }
  EXPECT_FALSE(evm::read_events(asked_, json("{}")).has_value());
  EXPECT_FALSE(evm::read_events(asked_, json("[null]")).has_value());
}

TEST_F(EvmEvents, WithoutAnEntryOrOfReplacedBlocksAreLeftOut) {
  EXPECT_TRUE(must(with("data", "0x")).empty());
  EXPECT_TRUE(must(with("removed", true)).empty());
  const std::string large(limits::kEntryBytesMax + 1, 'x');
  EXPECT_EQ(must(read({event(10, 0, large), event(10, 1)})).size(), 1U);
}

}  // namespace
}  // namespace kith::test
