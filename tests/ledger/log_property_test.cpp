#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <set>

#include "crypto/hash.hpp"
#include "ledger/log_reader.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

/// A second, slow reading of authority: straight from the JSON of the blobs that a view says count,
/// without the reader, its rules or the Entry struct.
class SlowCheck {
 public:
  explicit SlowCheck(const std::vector<ledger::AnchoredBlob>& blobs) : blobs_(blobs) {}

  void check(const LogView& view) {
    std::string prev;
    Json before;
    for (std::size_t i = 0; i < view.history.size(); ++i) {
      const Json entry =
          *crypto::parse_json(crypto::as_text(blobs_.at(view.history[i].position).blob));
      EXPECT_EQ(entry.at("n").as_int64(), static_cast<std::int64_t>(i));
      EXPECT_EQ(entry.at("prev").as_string(), prev);
      check_authority(before, entry);
      prev = hash(entry);
      EXPECT_EQ(prev, view.history[i].hash);
      if (entry.as_object().contains("keys")) before = entry;
    }
    EXPECT_EQ(view.current.state, before.at("state"));
  }

 private:
  static Json unsigned_part(const Json& entry) {
    Json bare = entry;
    bare.as_object().erase("sigs");
    return bare;
  }
  static std::string hash(const Json& entry) {
    return crypto::multihash_sha256(crypto::as_bytes(crypto::canonical_json(unsigned_part(entry))));
  }
  /// Distinct keys with a good signature.
  static std::set<std::string> signers(const Json& entry) {
    Bytes message = crypto::to_bytes("kith-log-v1\n");
    const std::string text = crypto::canonical_json(unsigned_part(entry));
    crypto::append(message, crypto::sha256(crypto::as_bytes(text)));
    std::set<std::string> good;
    for (const Json& sig : entry.at("sigs").as_array()) {
      const std::string key(sig.at("k").as_string());
      const Bytes bytes = *crypto::from_multibase(std::string(sig.at("s").as_string()));
      if (crypto::verify(*crypto::from_multikey(key), message, bytes).has_value()) {
        good.insert(key);
      }
    }
    return good;
  }
  static std::int64_t count(const Json& entry, const Json& keys) {
    const std::set<std::string> good = signers(entry);
    std::int64_t number = 0;
    for (const Json& key : keys.as_array()) {
      number += static_cast<std::int64_t>(good.count(std::string(key.as_string())));
    }
    return number;
  }
  static bool lists(const Json& list, const std::string& value) {
    for (const Json& item : list.as_array()) {
      if (item.as_string() == value) return true;
    }
    return false;
  }
  static void check_authority(const Json& before, const Json& entry) {
    const std::string op(entry.at("op").as_string());
    if (op == "genesis") {
      EXPECT_GE(count(entry, entry.at("keys").at("k")), entry.at("keys").at("t").as_int64());
    } else if (op == "update" || op == "deactivate") {
      EXPECT_GE(count(entry, before.at("keys").at("k")), before.at("keys").at("t").as_int64());
      if (op == "deactivate") return;
      for (const char* same : {"keys", "next", "rec", "ledgers"}) {
        EXPECT_EQ(entry.at(same), before.at(same)) << same;
      }
    } else if (op == "rotate") {
      EXPECT_GE(count(entry, entry.at("keys").at("k")), before.at("next").at("t").as_int64());
      for (const Json& key : entry.at("keys").at("k").as_array()) {
        const std::string digest =
            crypto::multihash_sha256(crypto::as_bytes(std::string(key.as_string())));
        EXPECT_TRUE(lists(before.at("next").at("kd"), digest));
      }
    } else {
      ASSERT_EQ(op, "recover");
      const Json& reveal = entry.at("reveal");
      const std::string text = crypto::canonical_json(reveal);
      EXPECT_EQ(crypto::multihash_sha256(crypto::as_bytes(text)),
                std::string(before.at("rec").at("d").as_string()));
      EXPECT_GE(count(entry, reveal.at("k")), reveal.at("t").as_int64());
    }
  }

  const std::vector<ledger::AnchoredBlob>& blobs_;
};

/// An owner with every key against a thief who stole the device: active keys at one moment, and
/// whatever lies on the ledger, but neither next nor recovery keys.
class Struggle {
 public:
  explicit Struggle(std::uint64_t seed)
      : lab_(Kind::did, {KeyType::ed25519, 1, 2, 1, 2, 1, 2}, seed), random_(seed, "struggle") {
    lab_.start();
    last_ = lab_.view();
  }

  void run(std::size_t steps) {
    for (std::size_t i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      pass_time();
      random_.below(3) == 0 ? thief_moves() : owner_moves();
      look();
    }
  }
  [[nodiscard]] const std::map<Op, std::size_t>& counted() const { return counted_; }
  [[nodiscard]] std::size_t junk() const { return last_.junk_count; }
  [[nodiscard]] std::size_t vetoed() const { return last_.vetoed.size(); }
  [[nodiscard]] std::size_t replaced() const { return last_.replaced.size(); }

 private:
  void pass_time() {
    constexpr std::chrono::hours kSteps[] = {0h, 1h, 24h, 72h, 14 * kDay, 50 * kDay};
    lab_.time += kSteps[random_.below(std::size(kSteps))];
  }

  void own(const Entry& entry) {
    owned_.insert(ledger::entry_hash(entry));
    lab_.post(entry);
  }

  void owner_moves() {
    const LogView view = lab_.view();
    const std::uint64_t choice = random_.below(12);
    if (view.pending.has_value() && choice < 3) {
      own(lab_.veto());
    } else if (choice < 5 || view.history.back().entry->op == Op::deactivate) {
      std::size_t fork = random_.below(view.history.size());
      if (!view.history[fork].entry->content.has_value()) fork -= 1;
      own(lab_.recover(fork));
    } else if (choice < 8) {
      own(lab_.rotate());
    } else {
      own(lab_.update(random_.below(1000)));
    }
  }

  void thief_moves() {
    const LogView view = lab_.view();
    if (random_.below(4) == 0) stolen_ = view.current.keys.k;
    switch (random_.below(7)) {
      case 0:
        lab_.post_blob(lab_.blobs[random_.below(lab_.blobs.size())].blob);
        return;
      case 1: {
        Bytes bad = lab_.blobs[random_.below(lab_.blobs.size())].blob;
        const std::size_t at = random_.below(bad.size());
        bad[at] ^= 1U;
        lab_.post_blob(bad);
        return;
      }
      case 2:
        return steal_by(must(ledger::make_veto(with_any_pending(view), lab_.time)));
      default:
        return attack_head(view, random_.below(4));
    }
  }

  LogView with_any_pending(LogView view) {
    if (!view.pending.has_value()) view.pending = ledger::PendingRecover{view.head(), 0};
    return view;
  }

  void attack_head(const LogView& view, std::uint64_t choice) {
    if (view.head().entry->op == Op::deactivate) return;
    if (choice == 0) return steal_by(must(ledger::make_deactivate(view, lab_.time)));
    Entry entry = must(ledger::make_update(view, lab_.next_state(view, 5000 + choice), lab_.time));
    if (choice == 2) {
      entry.op = Op::rotate;
      entry.content->keys.k = stolen_.empty() ? view.current.keys.k : stolen_;
      entry.content->next = lab_.fresh_next();
    } else if (choice == 3) {
      const ledger::RecoveryTier tier = must(ledger::generate_recovery(lab_.ops, lab_.random));
      entry.op = Op::recover;
      entry.reveal = tier.reveal;
    }
    steal_by(entry);
  }

  void steal_by(Entry entry) {
    for (const std::string& key : stolen_) {
      must(ledger::add_signature(entry, lab_.pairs.at(key), lab_.ops));
    }
    lab_.post(entry);
  }

  void look() {
    const LogView view = lab_.view();
    SlowCheck(lab_.blobs).check(view);
    EXPECT_EQ(lab_.view().head().hash, view.head().hash) << "the same blobs, the same answer";
    check_prefix(view);
    for (const ledger::LogRecord& record : view.history) {
      const Op op = record.entry->op;
      if (op == Op::rotate || op == Op::recover) {
        EXPECT_TRUE(owned_.contains(record.hash)) << "a thief changed the keys";
      }
    }
    for (const ledger::LogRecord& record : view.vetoed) {
      EXPECT_EQ(record.entry->op, Op::recover);
    }
    if (view.n() > last_.n()) ++counted_[view.head().entry->op];
    last_ = view;
  }

  /// The head goes back only when a recover took effect, and then it stands where history forks.
  void check_prefix(const LogView& view) {
    std::size_t same = 0;
    while (same < view.history.size() && same < last_.history.size() &&
           view.history[same].hash == last_.history[same].hash) {
      ++same;
    }
    if (same == last_.history.size()) return;
    ASSERT_LT(same, view.history.size());
    EXPECT_EQ(view.history[same].entry->op, Op::recover);
    EXPECT_LE(view.history[same].effective_from, lab_.time);
  }

  LogLab lab_;
  crypto::SeededRandom random_;
  LogView last_;
  std::vector<std::string> stolen_;
  std::set<std::string> owned_;
  std::map<Op, std::size_t> counted_;
};

TEST(LogProperty, OwnerAndThiefNeverGetPastTheRules) {
  std::map<Op, std::size_t> counted;
  std::size_t junk = 0;
  std::size_t vetoed = 0;
  std::size_t replaced = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Struggle struggle(seed);
    struggle.run(25);
    for (const auto& [op, number] : struggle.counted()) counted[op] += number;
    junk += struggle.junk();
    vetoed += struggle.vetoed();
    replaced += struggle.replaced();
  }
  // The sequences reach every outcome; else the test would show little.
  for (const Op op : {Op::update, Op::rotate, Op::recover, Op::deactivate}) {
    EXPECT_GT(counted[op], 0U) << ledger::op_name(op);
  }
  EXPECT_GT(junk, 0U);
  EXPECT_GT(vetoed, 0U);
  EXPECT_GT(replaced, 0U);
}

TEST(LogProperty, TheSlowCheckSeesAnUnauthorisedEntry) {
  // A view that claims an entry which the keys never signed: the check must object.
  LogLab lab;
  lab.start();
  Entry forged = lab.update(1);
  forged.sigs[0].s[3] ^= 1U;
  lab.post(forged);
  LogView view = lab.view();
  view.history.push_back({std::make_shared<const Entry>(forged),
                          ledger::entry_hash(forged),
                          1,
                          lab.time,
                          lab.time,
                          {}});
  view.current = *forged.content;
  ::testing::TestPartResultArray failures;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    SlowCheck(lab.blobs).check(view);
  }
  EXPECT_EQ(failures.size(), 1);
}

}  // namespace
}  // namespace kith::test
