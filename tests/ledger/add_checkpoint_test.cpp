// The texts between a ledger and its witnesses (C2SP tlog-witness, signed-note), in their one form.

#include "ledger/add_checkpoint.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "ledger/remote/cosigning.hpp"
#include "ledger/witness.hpp"
#include "ledger/witness_limits.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::ledger {
namespace {

using test::must;

// The example request of the specification.
constexpr std::string_view kRequestOfTheSpecification =
    "old 20852014\n"
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
    "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
    "\n"
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "\xE2\x80\x94 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

TEST(AddCheckpointRequest, IsReadAsTheSpecificationWritesIt) {
  const AddCheckpoint request = must(parse_add_checkpoint(kRequestOfTheSpecification));
  EXPECT_EQ(request.old_size, 20852014U);
  EXPECT_EQ(request.consistency.size(), 4U);
  EXPECT_EQ(must(parse_checkpoint(must(parse_note(request.checkpoint)).text)).size, 20852163U);
  EXPECT_EQ(add_checkpoint_text(request), kRequestOfTheSpecification);
}

TEST(AddCheckpointRequest, HasOneSpelling) {
  const std::string note = "x\n1\ny\n\n\xE2\x80\x94 name AAAAAAA=\n";
  const std::string hash = base64(Digest256{}) + "\n";
  ASSERT_TRUE(parse_add_checkpoint("old 0\n\n" + note).has_value());
  ASSERT_TRUE(parse_add_checkpoint("old 18446744073709551615\n" + hash + "\n" + note).has_value());
  for (const std::string& bad : std::vector<std::string>{
           "", "old 0\n", "old 0\n\n", "old 0\n" + note, "old\n\n" + note, "old  0\n\n" + note,
           "old 00\n\n" + note, "old -1\n\n" + note, "old 1x\n\n" + note, "Old 1\n\n" + note,
           "old 18446744073709551616\n\n" + note, "old 0\r\n\n" + note, " old 0\n\n" + note,
           "old 0\nAAAA\n\n" + note, "old 0\n" + hash.substr(1) + "\n" + note,
           "old 0\n" + hash + note, "old 0\n\n\n" + note + "x"}) {
    EXPECT_EQ(parse_add_checkpoint(bad).error(), Errc::malformed) << bad;
  }
}

TEST(AddCheckpointRequest, IsBounded) {
  const std::string end = "\nx\n\n\xE2\x80\x94 name AAAAAAA=\n";
  std::string longest = "old 1\n";
  for (std::size_t i = 0; i < witness_limits::kRequestHashesMax; ++i) {
    longest += base64(Digest256{}) + "\n";
  }
  EXPECT_TRUE(parse_add_checkpoint(longest + end).has_value());
  EXPECT_EQ(parse_add_checkpoint(longest + base64(Digest256{}) + "\n" + end).error(),
            Errc::limit_exceeded);
  const std::string huge(witness_limits::kRequestBytesMax, 'x');
  EXPECT_EQ(parse_add_checkpoint("old 1\n\n" + huge + end).error(), Errc::limit_exceeded);
  // The longest note fits beside the longest proof.
  EXPECT_LE(longest.size() + limits::kNoteBytesMax + 21, witness_limits::kRequestBytesMax);
}

TEST(AnswersOfWitnesses, AreReadStrictly) {
  const std::vector<NoteSignature> signatures{{"a", 1, Bytes(72, 1)}, {"b", 2, Bytes(72, 2)}};
  const std::string lines = signature_lines(signatures);
  EXPECT_TRUE(lines.starts_with("\xE2\x80\x94 a "));
  EXPECT_EQ(must(parse_signature_lines(lines)), signatures);
  for (const std::string& bad : {std::string(), std::string("\n"), "\n" + lines, lines + "\n",
                                 lines + "x", "y\n\n" + lines, lines.substr(0, lines.size() - 1)}) {
    EXPECT_FALSE(parse_signature_lines(bad).has_value()) << bad;
  }
  const std::string many(witness_limits::kAnswerBytesMax + 1, 'x');
  EXPECT_EQ(parse_signature_lines(many).error(), Errc::limit_exceeded);

  EXPECT_EQ(size_text(20852014), "20852014\n");
  EXPECT_EQ(must(parse_size_text("20852014\n")), 20852014U);
  EXPECT_EQ(must(parse_size_text("0\n")), 0U);
  for (const char* bad : {"", "\n", "7", "07\n", "7\n\n", "7 \n", "-7\n", "x\n"}) {
    EXPECT_FALSE(parse_size_text(bad).has_value()) << bad;
  }
}

TEST(VerifierKeys, AreReadBack) {
  const PublicKey key = test::ledger_descriptor(3).key;
  for (const auto type : {NoteSignatureType::ed25519, NoteSignatureType::cosignature}) {
    const std::string text = verifier_key("witness.example/w1", type, key);
    const VerifierKey parsed = must(parse_verifier_key(text));
    EXPECT_EQ(parsed.name, "witness.example/w1");
    EXPECT_EQ(parsed.type, type);
    EXPECT_EQ(parsed.key, key);
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string bad = text;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      EXPECT_FALSE(parse_verifier_key(bad).has_value()) << bad;
    }
  }
  for (const char* bad :
       {"", "+", "++", "name", "name+12345678", "name+12345678+", "na me+1+AQ=="}) {
    EXPECT_FALSE(parse_verifier_key(bad).has_value()) << bad;
  }
  const std::string long_name(witness_limits::kVerifierKeyCharsMax, 'n');
  EXPECT_EQ(parse_verifier_key(verifier_key(long_name, NoteSignatureType::ed25519, key)).error(),
            Errc::limit_exceeded);
}

// Keys that the tests of transparency-dev/formats read.
TEST(VerifierKeys, OfOtherProgramsAreRead) {
  const auto log =
      must(parse_verifier_key("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"));
  EXPECT_EQ(log.name, "TEST");
  EXPECT_EQ(log.type, NoteSignatureType::ed25519);
  const auto witness = must(
      parse_verifier_key("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"));
  EXPECT_EQ(witness.name, "remora.n621.de");
  EXPECT_EQ(witness.type, NoteSignatureType::cosignature);
  EXPECT_EQ(parse_verifier_key("rekor.sigstore.dev+12345678+AwEB").error(), Errc::unsupported);
  EXPECT_FALSE(parse_verifier_key("bananas.sigstore.dev+12344556").has_value());
}

TEST(VerifierKeys, NameLogsToWitnessesAndWitnessesToHosts) {
  const PublicKey key = test::ledger_descriptor(3).key;
  const std::string of_log = verifier_key("log.example", NoteSignatureType::ed25519, key);
  const std::string of_witness = verifier_key("w.example", NoteSignatureType::cosignature, key);
  EXPECT_EQ(must(descriptor_of_key(of_log)).origin, "log.example");
  EXPECT_EQ(descriptor_of_key(of_witness).error(), Errc::unsupported);
  EXPECT_EQ(must(parse_witness_address(of_witness + " https://w.example/x//")).url,
            "https://w.example/x");
  EXPECT_EQ(parse_witness_address(of_log + " https://w.example").error(), Errc::unsupported);
  EXPECT_EQ(parse_witness_address(of_witness).error(), Errc::malformed);
  EXPECT_EQ(parse_witness_address(of_witness + " ftp://w.example").error(), Errc::bad_url);
  EXPECT_FALSE(parse_witness_address(of_witness + " https://w.example two").has_value());
}

}  // namespace
}  // namespace kith::ledger
