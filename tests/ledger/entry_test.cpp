#include "ledger/entry.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

std::string text_of(const Entry& entry) {
  return std::string(crypto::as_text(ledger::entry_blob(entry)));
}
Errc parse_error(const std::string& text) {
  const auto parsed = ledger::parse_entry(crypto::as_bytes(text));
  return parsed.has_value() ? Errc::usage : parsed.error().code;
}
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace: " + from);
  return text.replace(at, from.size(), to);
}

TEST(Entry, ReadsBackWhatItWrites) {
  for (const Kind kind : {Kind::did, Kind::policy, Kind::pair}) {
    LogLab lab(kind);
    const Entry entry = lab.genesis(lab.first_content());
    const Bytes blob = ledger::entry_blob(entry);
    const auto parsed = ledger::parse_entry(blob);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
    EXPECT_EQ(*parsed, entry);
    EXPECT_EQ(ledger::entry_blob(*parsed), blob);
  }
}

TEST(Entry, HashLeavesSignaturesOutAndBlobHashTakesThemIn) {
  LogLab lab;
  Entry entry = lab.genesis(lab.first_content());
  const std::string hash = ledger::entry_hash(entry);
  const std::string blob = ledger::blob_hash(ledger::entry_blob(entry));
  entry.sigs.clear();
  EXPECT_EQ(ledger::entry_hash(entry), hash);
  EXPECT_NE(ledger::blob_hash(ledger::entry_blob(entry)), blob);
  entry.time = "2026-11-22T01:00:01Z";
  EXPECT_NE(ledger::entry_hash(entry), hash);
}

TEST(Entry, SignedMessageIsPrefixAndDigest) {
  LogLab lab;
  const Entry entry = lab.genesis(lab.first_content());
  const Bytes message = ledger::signed_message(entry);
  ASSERT_EQ(message.size(), 12U + 32U);
  EXPECT_EQ(crypto::as_text(ByteView(message).first(12)), "kith-log-v1\n");
  Bytes multihash = {0x12, 0x20};
  crypto::append(multihash, ByteView(message).subspan(12));
  EXPECT_EQ(crypto::multibase(multihash), ledger::entry_hash(entry));
}

TEST(Entry, TheDigestOfABlobIsThatOfItsEntry) {
  LogLab lab;
  // What looks like signatures in a string has its quotes escaped, wherever it stands.
  const std::string like_signatures = ",\"sigs\":[]";
  LogContent content = lab.first_content();
  content.ledgers = {"x" + like_signatures};
  content.state.get_object()["zz"] = like_signatures + "]";
  lab.start_with(content);
  const LogView view = lab.view();
  std::vector<Entry> entries{
      *view.head().entry, must(ledger::make_deactivate(view, lab.time)),
      must(ledger::make_move(view, content.ledgers[0], {"other"}, lab.time))};
  const ledger::EntrySignature signature = entries[0].sigs[0];
  for (Entry& entry : entries) {
    for (std::size_t signatures = 0; signatures < 3; ++signatures) {
      entry.sigs.assign(signatures, signature);
      const Bytes blob = ledger::entry_blob(entry);
      const ledger::EntryDigest digest = ledger::digest_of_blob(blob);
      EXPECT_EQ(ledger::entry_hash(digest), ledger::entry_hash(entry));
      EXPECT_EQ(ledger::signed_message(digest), ledger::signed_message(entry));
    }
  }
}

TEST(Entry, ScidIsTheHashWithThePlaceholderEverywhere) {
  LogLab lab;
  const Entry entry = lab.genesis(lab.first_content());
  const std::string scid = entry.id.substr(ledger::kDidPrefix.size());
  EXPECT_EQ(ledger::compute_scid(entry), scid);
  EXPECT_EQ(text_of(entry).find("{SCID}"), std::string::npos);
  EXPECT_EQ(entry.content->state.at("id").as_string(), entry.id);
  // By hand: text with the placeholder, signatures cut off.
  Entry bare = entry;
  bare.sigs.clear();
  std::string text = replaced(text_of(bare), "\"sigs\":[],", "");
  for (std::size_t at = 0; (at = text.find(scid)) != std::string::npos;) {
    text.replace(at, scid.size(), "{SCID}");
  }
  EXPECT_EQ(crypto::multihash_sha256(crypto::as_bytes(text)), scid);
}

TEST(Entry, RefusesTextThatIsNotCanonical) {
  LogLab lab;
  const std::string good = text_of(lab.genesis(lab.first_content()));
  EXPECT_EQ(parse_error(good), Errc::usage) << "the untouched text is accepted";
  EXPECT_EQ(parse_error(" " + good), Errc::malformed);
  EXPECT_EQ(parse_error(good + "\n"), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"kith/1\"", "\"kith\\/1\"")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"n\":0", "\"n\":-0")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"n\":0", "\"n\":0.0")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"n\":0", "\"n\":0,\"n\":0")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"n\":0", "\"n\":null")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"n\":0", "\"n\":9007199254740992")), Errc::malformed);
  // Members in another order.
  std::string swapped = replaced(good, "\"n\":0,", "");
  swapped.insert(1, "\"n\":0,");
  EXPECT_EQ(parse_error(swapped), Errc::malformed);
}

TEST(Entry, RefusesFloatsNullsAndForeignNamesInsideTheState) {
  LogLab lab;
  const std::string good = text_of(lab.genesis(lab.first_content()));
  const std::string note = "\"serviceEndpoint\":\"first\"";
  EXPECT_EQ(parse_error(replaced(good, note, "\"serviceEndpoint\":1.5")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, note, "\"serviceEndpoint\":null")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, note, note + ",\"s\u00e9\":1")), Errc::malformed);
}

TEST(Entry, RefusesMembersThatItDoesNotKnowOrMisses) {
  LogLab lab;
  lab.start();
  const std::string good = text_of(lab.update(1));
  EXPECT_EQ(parse_error(good), Errc::usage);
  EXPECT_EQ(parse_error(replaced(good, ",\"op\":", ",\"oo\":1,\"op\":")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, ",\"time\":", ",\"test\":true,\"time\":")), Errc::malformed)
      << "test belongs to genesis";
  EXPECT_EQ(parse_error(replaced(good, "\"op\":\"update\"", "\"op\":\"veto\"")), Errc::malformed)
      << "a veto carries no content";
  EXPECT_EQ(parse_error(replaced(good, "\"op\":\"update\"", "\"op\":\"merge\"")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"v\":\"kith/1\"", "\"v\":\"kith/2\"")), Errc::unsupported);
  EXPECT_EQ(parse_error(replaced(good, "\"ledgers\":[\"L1\"],", "")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"t\":1}", "\"t\":2}")), Errc::malformed);
  EXPECT_EQ(parse_error(replaced(good, "\"t\":1}", "\"t\":0}")), Errc::malformed);
}

TEST(Entry, RefusesWhatIsTooLargeOrTooDeep) {
  LogLab lab;
  LogContent content = lab.first_content();
  content.state.as_object()["note"] = std::string(limits::kEntryBytesMax, 'a');
  EXPECT_EQ(parse_error(text_of(lab.genesis(content))), Errc::limit_exceeded);
  content = lab.first_content();
  Json deep = 1;
  for (std::size_t i = 0; i < limits::kEntryDepthMax; ++i) deep = JsonArray{deep};
  content.state.as_object()["note"] = deep;
  EXPECT_EQ(parse_error(text_of(lab.genesis(content))), Errc::limit_exceeded);
}

TEST(Entry, RefusesKeysThatCannotSign) {
  LogLab lab;
  LogContent content = lab.first_content();
  const KeyPair agree = lab.fresh(KeyPurpose::agree, KeyType::x25519);
  content.keys.k = {crypto::multikey(agree.public_key)};
  const auto made = ledger::make_genesis(Kind::did, content, false, lab.time);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Errc::unsupported);
}

TEST(Entry, RefusesAnotherSpellingOfAKey) {
  LogLab lab;
  const KeyPair pair = lab.fresh(KeyPurpose::log_active);
  const std::string z = crypto::multikey(pair.public_key);
  const std::string u = "u" + crypto::base64url(*crypto::from_multibase(z));
  EXPECT_TRUE(ledger::signing_key(z).has_value());
  EXPECT_FALSE(ledger::signing_key(u).has_value());
}

TEST(Entry, NeverAssertsOnMutatedText) {
  LogLab lab;
  lab.start();
  const Bytes good = ledger::entry_blob(lab.recover(0));
  for (std::size_t i = 0; i < 3000; ++i) {
    Bytes bad = good;
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = lab.random.below(bad.size());
      bad[at] = static_cast<std::uint8_t>(lab.random.below(256));
    }
    const auto parsed = ledger::parse_entry(bad);
    if (parsed.has_value()) {
      EXPECT_EQ(ledger::entry_blob(*parsed), bad);
    }
  }
}

}  // namespace
}  // namespace kith::test
