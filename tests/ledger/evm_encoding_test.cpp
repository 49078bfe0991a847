// Hashes, addresses, calls and transactions of a chain, against published values, other programs'
// results and damage.

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <fstream>

#include "crypto/ec_secp256k1.hpp"
#include "crypto/limits.hpp"
#include "crypto/random.hpp"
#include "ledger/evm/abi.hpp"
#include "ledger/evm/contract.hpp"
#include "ledger/evm/rlp.hpp"
#include "ledger/evm/transaction.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

namespace evm = ledger::evm;
using evm::RlpList;

std::string keccak_hex(std::string_view text) {
  return crypto::hex(evm::keccak256(crypto::as_bytes(text)));
}

Bytes openssl_sha3(ByteView data) {
  Bytes out(32);
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), out.data(), &size, EVP_sha3_256(), nullptr);
  return out;
}

evm::Signer signer_of(const std::string& private_hex) {
  const Bytes key = must(crypto::from_hex(private_hex));
  const auto pair = must(crypto::secp256k1_from_private(SecretBytes::copy_of(key)));
  return {must(evm::account_of(pair.public_key)),
          [key](ByteView hash) { return crypto::secp256k1_sign_recoverable(key, hash); }};
}

// Keccak.

TEST(EvmKeccak, HasThePublishedValues) {
  // The hash of nothing (known as the code hash of every account without code), and of "abc".
  EXPECT_EQ(keccak_hex(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(keccak_hex("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  // The selector and the topic that every token has.
  EXPECT_EQ(keccak_hex("transfer(address,uint256)").substr(0, 8), "a9059cbb");
  EXPECT_EQ(keccak_hex("Transfer(address,address,uint256)"),
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

TEST(EvmKeccak, PermutesAsOpenSslDoesAtEveryLength) {
  crypto::SeededRandom random(1, "keccak");
  for (std::size_t size = 0; size < 600; ++size) {
    const Bytes data = random.bytes(size);
    const auto ours = evm::keccak256_padded(data, 0x06);
    ASSERT_EQ(crypto::hex(ours), crypto::hex(openssl_sha3(data))) << size;
    // The padding is what makes the difference.
    ASSERT_NE(ours, evm::keccak256(data)) << size;
  }
}

// RLP: the examples of Ethereum's documentation, and the borders of its lengths.

TEST(EvmRlp, WritesThePublishedExamples) {
  const auto hex = [](const RlpList& list) { return crypto::hex(list.bytes()); };
  const auto text = [](std::string_view words) { return crypto::as_bytes(words); };
  EXPECT_EQ(hex(RlpList()), "c0");
  EXPECT_EQ(hex(RlpList().add(text("cat")).add(text("dog"))), "c88363617483646f67");
  EXPECT_EQ(hex(RlpList().add(ByteView())), "c180");
  EXPECT_EQ(hex(RlpList().add(std::uint64_t{0})), "c180");
  EXPECT_EQ(hex(RlpList().add(std::uint64_t{15})), "c10f");
  EXPECT_EQ(hex(RlpList().add(std::uint64_t{1024})), "c3820400");
  EXPECT_EQ(hex(RlpList().add(std::uint64_t{127})), "c17f");
  EXPECT_EQ(hex(RlpList().add(std::uint64_t{128})), "c28180");
  EXPECT_EQ(hex(RlpList().add_empty_list()), "c1c0");
  EXPECT_EQ(hex(RlpList().add_number(Bytes{0, 0, 1, 0})), "c3820100");
  EXPECT_EQ(hex(RlpList().add_number(Bytes{0, 0})), "c180");
}

TEST(EvmRlp, CountsLongerThingsInBytesOfTheirOwn) {
  EXPECT_EQ(crypto::hex(RlpList().add(Bytes(55, 'x')).bytes()).substr(0, 6), "f838b7");
  EXPECT_EQ(crypto::hex(RlpList().add(Bytes(54, 'x')).bytes()).substr(0, 4), "f7b6");
  EXPECT_EQ(crypto::hex(RlpList().add(Bytes(56, 'x')).bytes()).substr(0, 8), "f83ab838");
  EXPECT_EQ(crypto::hex(RlpList().add(Bytes(1024, 'x')).bytes()).substr(0, 12), "f90403b90400");
}

// Addresses: the examples of EIP-55.

TEST(EvmAccount, WritesAndReadsTheExamplesOfEip55) {
  for (const std::string text :
       {"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"}) {
    EXPECT_EQ(evm::account_text(must(evm::parse_account(text))), text);
    std::string small = text;
    for (char& c : small) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(must(evm::parse_account(small)), must(evm::parse_account(text)));
  }
}

TEST(EvmAccount, RefusesWhatIsNotOne) {
  const std::string good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
  std::size_t letters = 0;
  for (std::size_t i = 2; i < good.size(); ++i) {
    if (std::isalpha(good[i]) == 0) continue;
    std::string wrong = good;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x20);
    EXPECT_FALSE(evm::parse_account(wrong).has_value()) << wrong;
    ++letters;
  }
  EXPECT_GT(letters, 10U);
  for (const std::string& bad :
       {std::string(), std::string("0x"), good.substr(2), good + "0", good.substr(0, 41),
        "0X" + good.substr(2), "0x" + std::string(40, 'g'), "0x" + std::string(40, ' ')}) {
    EXPECT_FALSE(evm::parse_account(bad).has_value()) << bad;
  }
}

TEST(EvmAccount, IsThatOfTheKey) {
  // EIP-155's example signs with 32 bytes of 0x46, and names who that is.
  const auto signer = signer_of(crypto::hex(Bytes(32, 0x46)));
  EXPECT_EQ(evm::account_text(signer.account), "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
  EXPECT_FALSE(evm::account_of({crypto::KeyType::ed25519, Bytes(32)}).has_value());
  EXPECT_FALSE(evm::account_of({crypto::KeyType::secp256k1, Bytes(33)}).has_value());
}

TEST(EvmAccount, ContractsLieWhereSenderAndNonceSay) {
  // The first contracts of an account that has been used as an example for years.
  const auto sender = must(evm::parse_account("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"));
  EXPECT_EQ(crypto::hex(evm::contract_made_by(sender, 0)),
            "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d");
  EXPECT_EQ(crypto::hex(evm::contract_made_by(sender, 1)),
            "343c43a37d37dff08ae8c4a11544c718abb4fcf8");
}

// Recoverable signatures.

TEST(EvmSignature, TellsTheKeyThatMadeIt) {
  crypto::SeededRandom random(1, "evm");
  for (int i = 0; i < 20; ++i) {
    const auto pair = crypto::secp256k1_generate(random);
    const Bytes hash = random.bytes(32);
    Bytes signature = crypto::secp256k1_sign_recoverable(pair.private_key.expose(), hash);
    ASSERT_EQ(must(crypto::secp256k1_recover(hash, signature)), pair.public_key.bytes);
    signature.back() ^= 1U;
    const auto other = crypto::secp256k1_recover(hash, signature);
    ASSERT_TRUE(!other.has_value() || *other != pair.public_key.bytes);
  }
  EXPECT_FALSE(crypto::secp256k1_recover(Bytes(32, 1), Bytes(65)).has_value());
  EXPECT_FALSE(crypto::secp256k1_recover(Bytes(32, 1), Bytes(64, 1)).has_value());
  EXPECT_FALSE(crypto::secp256k1_recover(Bytes(32, 1), Bytes(65, 2)).has_value());
}

// Transactions: numbers as ethereumjs publishes them (packages/tx/test/json/eip1559.json).

struct PublishedTransaction {
  std::uint64_t nonce, value, gas, tip, fee_max;
  const char* raw;
};

TEST(EvmTransaction, IsByteForByteTheOneOfOthers) {
  const evm::Signer signer =
      signer_of("8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63");
  const evm::Account to = must(evm::parse_account("0x000000000000000000000000000000000000aaaa"));
  for (const PublishedTransaction& one :
       {PublishedTransaction{
            819, 43203529, 35552, 75853, 121212,
            "02f870821e8e8203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa84"
            "02933bc980c080a0d067f2167008c59219652f91cbf8788dbca5f771f6e91e2b7657e85b78b472e0a01d"
            "305af9fe81fdba43f0dfcd400ed24dcace0a7e30d4e85701dcaaf484cd079e"},
        PublishedTransaction{
            353, 61901619, 32593, 38850, 136295,
            "02f86f821e8e8201618297c283021467827f5194000000000000000000000000000000000000aaaa8403"
            "b08b3380c001a004205678f13fc1d7b10feea6513dfa76e24418b6e08097d95c6f93a3b64e536da01d45"
            "ad61bfece43862de2cce7d2575a8c1d08c26c87f3cb5f26d7b0be54a91b2"},
        PublishedTransaction{
            119, 65456115, 62341, 24721, 107729,
            "02f86d821e8e778260918301a4d182f38594000000000000000000000000000000000000aaaa8403e6c7"
            "f380c001a0e38e239770801eb995498c821e55ac9c19ae09184bb27b34be105e02fe3b7615a067c64ca6"
            "bd6d9107e85fd581ab2e70a14b637eb36505bb40861ef9d6e800cab6"}}) {
    const evm::Transaction made{7822, one.nonce, one.tip, one.fee_max, one.gas, to, one.value, {}};
    const auto done = must(evm::sign(made, signer));
    EXPECT_EQ(crypto::hex(done.raw), one.raw);
    EXPECT_EQ(done.hash, evm::keccak256(done.raw));
  }
}

TEST(EvmTransaction, EveryFieldIsSigned) {
  const evm::Transaction plain{1, 2, 3, 4, 5, evm::Account{6}, 7, Bytes{8}};
  std::vector<evm::Transaction> others(8, plain);
  others[0].chain = 9;
  others[1].nonce = 9;
  others[2].tip = 9;
  others[3].fee_max = 9;
  others[4].gas = 9;
  others[5].to.reset();
  others[6].value = 9;
  others[7].input.push_back(0);
  for (const auto& other : others) EXPECT_NE(evm::signing_hash(other), evm::signing_hash(plain));
}

TEST(EvmTransaction, TakesNoSignatureOfAnotherForm) {
  evm::Signer signer{{}, [](ByteView) { return Bytes(64, 1); }};
  EXPECT_EQ(evm::sign({}, signer).error(), Errc::bad_signature);
  signer.sign = [](ByteView) { return Bytes(65, 2); };
  EXPECT_EQ(evm::sign({}, signer).error(), Errc::bad_signature);
  signer.sign = [](ByteView) -> Result<Bytes> { return fail(Errc::key_misuse); };
  EXPECT_EQ(evm::sign({}, signer).error(), Errc::key_misuse);
}

// Calls and events.

/// The data of the event that a call of post makes.
Bytes event_data(ByteView input) {
  Bytes data = crypto::to_bytes(input.subspan(4 + 32));
  data[31] = 32;  // The subject is a topic; one word less lies before.
  return data;
}

TEST(EvmAbi, SubjectsAreTheHashesOfIdentifiers) {
  LogLab lab;
  lab.start();
  const auto topic = must(evm::subject_topic(lab.subject));
  EXPECT_EQ(evm::subject_of(topic), lab.subject);
  EXPECT_FALSE(evm::subject_topic("did:example:1").has_value());
  EXPECT_FALSE(evm::subject_topic(lab.subject + "1").has_value());
  EXPECT_FALSE(evm::subject_topic("did:kith:").has_value());
}

TEST(EvmAbi, WhatIsPostedComesBack) {
  for (const std::size_t size : {0u, 1u, 31u, 32u, 33u, 900u, 16384u}) {
    const Bytes blob(size, 'x');
    const Bytes input = evm::post_input(evm::Hash{1}, blob);
    EXPECT_EQ(input.size() % 32, 4U);
    EXPECT_EQ(must(evm::posted_data(event_data(input))), blob);
  }
  // By hand, from the specification of the ABI.
  EXPECT_EQ(crypto::hex(evm::post_input(evm::Hash{0xaa}, crypto::as_bytes("abc"))),
            crypto::hex(evm::keccak256(crypto::as_bytes("post(bytes32,bytes)"))).substr(0, 8) +
                "aa" + std::string(62, '0') + std::string(62, '0') + "40" + std::string(63, '0') +
                "3" + "616263" + std::string(58, '0'));
}

TEST(EvmAbi, RefusesEventsOfAnotherForm) {
  const Bytes good = event_data(evm::post_input(evm::Hash{1}, Bytes(40, 'x')));
  must(evm::posted_data(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(evm::posted_data(ByteView(good).first(size)).has_value()) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(evm::posted_data(longer).has_value());
  // Every bit of offset and size, and of the padding after 40 bytes.
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    Bytes damaged = good;
    damaged[i / 8] ^= static_cast<std::uint8_t>(1U << (i % 8));
    // Within the data, or a size that the same padding fits: then it is another event.
    const std::size_t size = i / 8 == 63 ? 40U ^ (1U << (7 & i)) : 0;
    const bool inside = (i / 8 >= 64 && i / 8 < 104) || (size > 40 && size <= 64);
    const auto read = evm::posted_data(damaged);
    EXPECT_EQ(read.has_value(), inside) << i;
  }
  const Bytes large = event_data(evm::post_input(evm::Hash{1}, Bytes(limits::kEntryBytesMax + 1)));
  EXPECT_EQ(evm::posted_data(large).error(), Errc::limit_exceeded);
}

// The contract: its bytes are those that a test of tests/interop compiles again.

std::string file_text(const std::string& path) {
  std::ifstream file(std::string(KITH_SOURCE_DIR) + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(EvmContract, IsTheOneInTheFile) {
  const Json made = must(crypto::parse_json(file_text("/ledger/evm/contract.json")));
  const JsonObject& object = made.get_object();
  const std::string runtime = crypto::hex(evm::contract_code());
  EXPECT_EQ(crypto::hex(evm::contract_creation()), must(crypto::json_string(object, "creation")));
  EXPECT_EQ(runtime, must(crypto::json_string(object, "runtime")));
  // What we call and look for is in its code.
  EXPECT_NE(runtime.find(crypto::hex(evm::posted_topic())), std::string::npos);
  const Bytes input = evm::post_input({}, {});
  EXPECT_NE(runtime.find(crypto::hex(ByteView(input).first(4))), std::string::npos);
}

}  // namespace
}  // namespace kith::test
