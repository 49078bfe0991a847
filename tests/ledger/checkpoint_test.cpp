#include "ledger/checkpoint.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"

namespace kith::ledger {
namespace {

using std::chrono::seconds;

/// A ledger and three witnesses, of whom two are asked for.
class Checkpoints : public testing::Test {
 protected:
  struct Signer {
    PublicKey key;
    SealedKey secret;
  };

  Checkpoints() {
    ledger_.kind = "host";
    ledger_.origin = "ledger.example/kith";
    log_ = signer();
    ledger_.key = log_.key;
    for (Signer& witness : witnesses_) {
      witness = signer();
      ledger_.witnesses.push_back(witness.key);
    }
    ledger_.w = 2;
    checkpoint_ = {ledger_.origin, 20852163, crypto::sha256(crypto::as_bytes("root"))};
    note_.text = checkpoint_text(checkpoint_);
    note_.signatures.push_back(ledger_signature(ledger_, sign(log_, note_.text)));
  }

  Signer signer() {
    auto pair = ops_.generate(KeyType::ed25519, KeyPurpose::ledger).value();
    return {pair.public_key, std::move(pair.sealed)};
  }
  Bytes sign(const Signer& by, std::string_view text) {
    return ops_.sign(by.secret, crypto::as_bytes(text)).value();
  }
  NoteSignature cosignature(const Signer& by, std::int64_t at) {
    const CosignatureTime time{seconds{at}};
    return witness_signature(by.key, time, sign(by, cosigned_text(note_.text, time)));
  }
  [[nodiscard]] Result<TrustedCheckpoint> opened() const {
    return open_checkpoint(note_text(note_), ledger_);
  }

  crypto::SeededRandom random_{7, "checkpoints"};
  crypto::SoftwareKeys ops_{random_.secret(32), random_};
  LedgerDescriptor ledger_;
  Signer log_;
  std::array<Signer, 3> witnesses_;
  Checkpoint checkpoint_;
  SignedNote note_;
};

TEST_F(Checkpoints, OpenForWhoKnowsTheLedger) {
  const auto trusted = opened();
  ASSERT_TRUE(trusted.has_value());
  EXPECT_EQ(trusted->checkpoint, checkpoint_);
  EXPECT_TRUE(trusted->cosignatures.empty());
  EXPECT_FALSE(enough_witnesses(*trusted, ledger_));
}

TEST_F(Checkpoints, EveryFlippedByteIsNoticed) {
  note_.signatures.push_back(cosignature(witnesses_[0], 1000));
  const std::string good = note_text(note_);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    const auto trusted = open_checkpoint(bad, ledger_);
    // What names another key is ignored; then the witness is missing.
    EXPECT_TRUE(!trusted.has_value() || trusted->cosignatures.empty()) << "byte " << at;
  }
}

TEST_F(Checkpoints, AnotherKeyOrOriginIsRefused) {
  LedgerDescriptor other_key = ledger_;
  other_key.key = signer().key;
  EXPECT_EQ(open_checkpoint(note_text(note_), other_key).error().code, Errc::bad_signature);
  LedgerDescriptor other_origin = ledger_;
  other_origin.origin = "ledger.example/other";
  EXPECT_EQ(open_checkpoint(note_text(note_), other_origin).error().code, Errc::malformed);
}

TEST_F(Checkpoints, WitnessesSayWhenEnoughHadSeenIt) {
  note_.signatures.push_back(cosignature(witnesses_[2], 3000));
  EXPECT_EQ(witnessed_at(opened().value(), ledger_), std::nullopt);
  note_.signatures.push_back(cosignature(witnesses_[0], 1000));
  EXPECT_EQ(witnessed_at(opened().value(), ledger_), CosignatureTime{seconds{3000}});
  note_.signatures.push_back(cosignature(witnesses_[1], 2000));
  EXPECT_EQ(witnessed_at(opened().value(), ledger_), CosignatureTime{seconds{2000}});
}

TEST_F(Checkpoints, AWitnessCountsOnceHoweverOftenItSigns) {
  note_.signatures.push_back(cosignature(witnesses_[0], 3000));
  note_.signatures.push_back(cosignature(witnesses_[0], 1000));
  const auto trusted = opened().value();
  ASSERT_EQ(trusted.cosignatures.size(), 1U);
  EXPECT_EQ(trusted.cosignatures[0].time, CosignatureTime{seconds{1000}});
  EXPECT_FALSE(enough_witnesses(trusted, ledger_));
}

TEST_F(Checkpoints, StrangersAreIgnoredAndForgersRefused) {
  const Signer stranger = signer();
  note_.signatures.push_back(cosignature(stranger, 1000));
  EXPECT_TRUE(opened().value().cosignatures.empty());
  // A known witness's name over someone else's signature spoils the note.
  NoteSignature forged = cosignature(stranger, 1000);
  const NoteSignature real = cosignature(witnesses_[0], 1000);
  forged.name = real.name;
  forged.key_id = real.key_id;
  note_.signatures.push_back(forged);
  EXPECT_EQ(opened().error().code, Errc::bad_signature);
}

TEST_F(Checkpoints, ACosignatureIsBoundToItsTime) {
  NoteSignature moved = cosignature(witnesses_[0], 1000);
  moved.signature[7] ^= 1;
  note_.signatures.push_back(moved);
  EXPECT_EQ(opened().error().code, Errc::bad_signature);
  // The ledger's own kind of signature is no cosignature, even by a witness's key.
  note_.signatures.back() = cosignature(witnesses_[0], 1000);
  note_.signatures.back().signature = sign(witnesses_[0], note_.text);
  EXPECT_EQ(opened().error().code, Errc::malformed);
  note_.signatures.back() = cosignature(witnesses_[0], 1000);
  note_.signatures.back().signature[0] = 0xFF;
  EXPECT_EQ(opened().error().code, Errc::malformed);
}

TEST_F(Checkpoints, TextsAreReadInTheirOneForm) {
  const std::string good = checkpoint_text(checkpoint_);
  EXPECT_EQ(parse_checkpoint(good).value(), checkpoint_);
  const std::string root = base64(checkpoint_.root);
  for (const std::string& bad :
       {std::string("o\n1\n" + root), "o\n1\n" + root + "\n\n", "o\n1\n" + root + "\nmore\n",
        "\n1\n" + root + "\n", "o\n\n" + root + "\n", "o\n01\n" + root + "\n",
        "o\n-1\n" + root + "\n", "o\n+1\n" + root + "\n", "o\n1 \n" + root + "\n",
        "o\n18446744073709551616\n" + root + "\n", std::string("o\n1\nAAAA\n"),
        "o\n1\n" + root.substr(0, root.size() - 1) + "\n", std::string()}) {
    EXPECT_FALSE(parse_checkpoint(bad).has_value()) << bad;
  }
  EXPECT_TRUE(parse_checkpoint("o\n18446744073709551615\n" + root + "\n").has_value());
  EXPECT_TRUE(parse_checkpoint("o\n0\n" + root + "\n").has_value());
}

// --- Signed notes

// The example of C2SP signed-note.
TEST(SignedNote, ReadsTheExampleOfTheSpecification) {
  const std::string note =
      "This is an example message.\n\n"
      "\xE2\x80\x94 example.com/foo "
      "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
      "\n";
  const std::string vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  const Bytes typed = from_base64(vkey.substr(vkey.rfind('+') + 1)).value();
  const PublicKey key{KeyType::ed25519, Bytes(typed.begin() + 1, typed.end())};
  const SignedNote parsed = parse_note(note).value();
  ASSERT_EQ(parsed.signatures.size(), 1U);
  EXPECT_EQ(note_key_id("example.com/foo", NoteSignatureType::ed25519, key), 0x530d903aU);
  EXPECT_EQ(parsed.signatures[0].key_id, 0x530d903aU);
  EXPECT_TRUE(crypto::verify(key, crypto::as_bytes(parsed.text), parsed.signatures[0].signature)
                  .has_value());
  EXPECT_EQ(verifier_key("example.com/foo", NoteSignatureType::ed25519, key), vkey);
  EXPECT_EQ(note_text(parsed), note);
}

TEST(SignedNote, RefusesWhatIsNoNote) {
  const std::string line = "\xE2\x80\x94 name AAAAAAA=\n";
  ASSERT_TRUE(parse_note("text\n\n" + line).has_value());
  ASSERT_TRUE(parse_note("text\n\nmore\n\n" + line + line).has_value());
  for (const std::string& bad : std::vector<std::string>{
           std::string(), std::string("text\n"), std::string("text\n\n"), "text\n" + line,
           "text\n\n- name AAAAAAA=\n", "text\n\n\xE2\x80\x94 name AAAAAAA=",
           "text\n\n\xE2\x80\x94 name AAAAAA==\n",  // No signature after the key id.
           "text\n\n\xE2\x80\x94 name AAAAAAA\n",   // No padding.
           "text\n\n\xE2\x80\x94 name AAAAAAB=\n",  // Spare bits.
           "text\n\n\xE2\x80\x94 name AAAA-AA=\n",  // The other alphabet.
           "text\n\n\xE2\x80\x94 na+me AAAAAAA=\n", "text\n\n\xE2\x80\x94  AAAAAAA=\n",
           "text\n\n\xE2\x80\x94 name\n", "te\txt\n\n" + line, "te\x80xt\n\n" + line}) {
    EXPECT_EQ(parse_note(bad).error().code, Errc::malformed) << bad;
  }
}

TEST(SignedNote, TakesNoMoreThanItsLimits) {
  const std::string line = "\xE2\x80\x94 name AAAAAAA=\n";
  std::string note = "text\n\n";
  for (std::size_t i = 0; i < limits::kNoteSignaturesMax; ++i) note += line;
  EXPECT_TRUE(parse_note(note).has_value());
  EXPECT_EQ(parse_note(note + line).error().code, Errc::limit_exceeded);
  const std::string end = "\n\n" + line;
  const std::string longest(limits::kNoteBytesMax - end.size(), 'x');
  EXPECT_TRUE(parse_note(longest + end).has_value());
  EXPECT_EQ(parse_note("x" + longest + end).error().code, Errc::limit_exceeded);
}

TEST(SignedNote, Base64HasOneSpelling) {
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(251 * i));
    EXPECT_EQ(from_base64(base64(bytes)).value(), bytes);
  }
  EXPECT_EQ(base64(crypto::as_bytes("foob")), "Zm9vYg==");  // RFC 4648 section 10.
  for (const char* bad :
       {"Zm9vYg", "Zm9vYg=", "Zm9vYg===", "Zm9vYh==", "=", "====", "Z===", "Zm=v"}) {
    EXPECT_FALSE(from_base64(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace kith::ledger
