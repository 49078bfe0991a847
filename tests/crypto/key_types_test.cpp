// The tables of algorithms and of key types say what the code does.

#include "crypto/key_types.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "crypto/algorithms.hpp"
#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"

namespace kith::crypto {
namespace {

constexpr std::array kAllTypes = {KeyType::ed25519, KeyType::x25519, KeyType::secp256k1,
                                  KeyType::p256,    KeyType::p384,   KeyType::p521};

std::string page() {
  std::string text =
      "# Algorithms and keys\n\nWhat `kith algs` and `kith keys types` print. Written by the "
      "tests from the tables in `crypto/`.\n\nNothing below 128 bits of strength is in use. What "
      "falls to a large quantum computer is marked with the\nyear after which NIST IR 8547 (draft) "
      "disallows it; the others lose at most half of their strength.\nConnections are "
      "OpenSSL's TLS 1.3 beneath all this; envelopes do not rely on them.\n\n## Algorithms\n\n"
      "| Algorithm | What for | Where | Choices | Bits | Until | Source |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const AlgorithmInfo& one : algorithms()) {
    const std::string until = one.last_year == 0 ? "" : std::to_string(one.last_year);
    text += "| " + std::string(one.name) + " | " + std::string(use_name(one.use)) + " | " +
            std::string(one.purpose) + " | " + std::string(one.parameters) + " | " +
            std::to_string(one.strength_bits) + " | " + until + " | " + std::string(one.source) +
            " |\n";
  }
  text +=
      "\n## Keys\n\nEach key has one purpose, and is drawn by itself from the operating system's "
      "generator: none is derived\nfrom a tree. Private halves are used inside KeyOps alone "
      "(`crypto/key_ops.hpp`).\n\n| Key | What it does | Kinds | Kept | Used "
      "| Due after |\n|---|---|---|---|---|---|\n";
  for (const KeyTypeInfo& one : key_types()) {
    text += "| " + std::string(one.name) + " | " + std::string(one.use) + " | " + types_text(one) +
            " | " + std::string(keeping_text(one.keeping)) + " | " + std::string(one.life) + " | " +
            period_text(one) + " |\n";
  }
  return text;
}

TEST(KeyTypes, HasOneRowForEachPurposeInOrder) {
  std::uint8_t next = 1;
  for (const KeyTypeInfo& info : key_types()) {
    EXPECT_EQ(static_cast<std::uint8_t>(info.purpose), next++) << info.name;
  }
  EXPECT_EQ(next - 1, static_cast<int>(KeyPurpose::chain)) << "the last purpose";
}

TEST(KeyTypes, KeyOpsMakesTheseKindsAndNoOthers) {
  SeededRandom random(1, "keys");
  SoftwareKeys keys(random.secret(32), random);
  for (const KeyTypeInfo& info : key_types()) {
    for (const KeyType type : kAllTypes) {
      // The vault's own key is made by an operation of its own, which locks it at once.
      const bool listed = info.purpose != KeyPurpose::vault &&
                          std::ranges::find(info.types, type) != info.types.end();
      EXPECT_EQ(keys.generate(type, info.purpose).has_value(), listed)
          << info.name << " " << key_type_name(type);
    }
    EXPECT_EQ(keys.generate_secret(info.purpose).has_value(), info.types.empty()) << info.name;
  }
}

TEST(KeyTypes, WhatAPersonsActsWearHasAPeriod) {
  for (const KeyTypeInfo& info : key_types()) {
    const bool wears = info.purpose == KeyPurpose::authenticate ||
                       info.purpose == KeyPurpose::agree || info.purpose == KeyPurpose::log_active;
    EXPECT_EQ(info.period_days != 0, wears) << info.name;
    EXPECT_EQ(info.uses_max != 0, wears) << info.name;
    if (wears) {
      EXPECT_LE(info.period_days, 3 * 365) << info.name;
    }
    if (wears) {
      EXPECT_GT(info.period_days, kDueSoonDays) << info.name;
    }
  }
}

TEST(KeyTypes, TheVaultTakesWhatIsKeptInIt) {
  SeededRandom random(2, "keys");
  SoftwareKeys keys(random.secret(32), random);
  const KeyOps::NewVault vault = keys.create_vault(keys.hold_step_up(random.secret(32))).value();
  for (const KeyTypeInfo& info : key_types()) {
    const SealedKey key = info.types.empty() ? keys.generate_secret(info.purpose).value()
                          : info.purpose == KeyPurpose::vault
                              ? vault.unlocked
                              : keys.generate(info.types.front(), info.purpose)->sealed;
    const bool taken = keys.seal_to_vault(vault.locked.public_key, key).has_value();
    EXPECT_EQ(taken, info.keeping == KeyKeeping::vault) << info.name;
  }
}

TEST(Algorithms, AreStrongEnoughAndListedOnce) {
  std::set<std::string_view> names;
  for (const AlgorithmInfo& one : algorithms()) {
    EXPECT_GE(one.strength_bits, 128) << one.name;
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_FALSE(one.source.empty()) << one.name;
    const bool public_key = one.use == AlgorithmUse::signature ||
                            one.use == AlgorithmUse::key_agreement ||
                            one.use == AlgorithmUse::sharing;
    EXPECT_EQ(falls_to_quantum(one), public_key) << one.name;
  }
  for (const KeyType type : kAllTypes) {
    const bool named = std::ranges::any_of(names, [&](std::string_view name) {
      return name.find(key_type_name(type)) != std::string_view::npos;
    });
    EXPECT_TRUE(named) << key_type_name(type);
  }
}

TEST(Algorithms, DocumentationSaysWhatTheTablesSay) {
  const std::string path = std::string(KITH_SOURCE_DIR) + "/docs/algorithms.md";
  if (std::getenv("KITH_WRITE_DOCS") != nullptr) std::ofstream(path) << page();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), page()) << "write it anew with KITH_WRITE_DOCS=1";
}

}  // namespace
}  // namespace kith::crypto
