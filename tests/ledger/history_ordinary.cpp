#include "tests/ledger/history_scenarios.hpp"

namespace kith::test {

namespace {

using Signers = std::vector<std::string>;

constexpr ledger::LogKeyShape kTwoOfThree{KeyType::ed25519, 2, 3, 2, 3, 1, 1};

std::string stranger(LogLab& lab) {
  return crypto::multikey(lab.fresh(KeyPurpose::log_active).public_key);
}

/// Genesis, and one update signed by `signers` after `change`.
template <class Change>
void update_with(LogLab& lab, Change change) {
  const LogView view = lab.start();
  Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
  lab.post(
      resigned(lab, entry, view.current.keys.k, [&](Entry& changed) { change(*changed.content); }));
}
void update_signed_by(LogLab& lab, const std::function<Signers(const LogView&)>& signers) {
  const LogView view = lab.start();
  Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
  lab.post(resigned(lab, entry, signers(view), [](Entry&) {}));
}

/// Genesis, and one rotate after `change`, signed by `count` of its keys.
template <class Change>
void rotate_with(LogLab& lab, std::size_t count, Change change) {
  lab.start();
  Entry entry = lab.rotate_unsigned();
  change(*entry.content);
  lab.post(lab.sign(entry, LogLab::first(entry.content->keys.k, count)));
}

void update_and_rotate(LogLab& lab) {
  lab.start();
  lab.post(lab.update(1));
  lab.post(lab.rotate());
}

void add_operations(std::vector<Scenario>& all) {
  for (const Kind kind : {Kind::did, Kind::policy, Kind::pair}) {
    const std::string of(ledger::kind_name(kind));
    all.push_back({of + "-genesis",
                   "A first entry is a log.",
                   {"normal", 0},
                   [](LogLab& lab) { lab.start(); },
                   kind});
    all.push_back({of + "-all-operations",
                   "Updates, a rotate, and an update by the new keys.",
                   {"normal", 4},
                   [](LogLab& lab) {
                     lab.start();
                     for (const std::uint64_t salt : {1U, 2U}) lab.post(lab.update(salt));
                     lab.post(lab.rotate());
                     lab.post(lab.update(3));
                   },
                   kind});
    all.push_back({of + "-deactivate",
                   "Nothing follows a deactivate.",
                   {"deactivated", 2, {3}},
                   [](LogLab& lab) {
                     lab.start();
                     lab.post(lab.update(1));
                     const Entry late = lab.update(2);
                     const Signers keys = lab.view().current.keys.k;
                     lab.post(lab.deactivate());
                     lab.post(resigned(lab, late, keys, [&](Entry& entry) {
                       entry.n = 3;
                       entry.prev = lab.view().head().hash;
                     }));
                   },
                   kind});
  }
  all.push_back({"secp256k1",
                 "The second kind of key signs as well.",
                 {"normal", 2},
                 update_and_rotate,
                 Kind::did,
                 {KeyType::secp256k1, 1, 1, 1, 1, 1, 1}});
  all.push_back({"two-of-three",
                 "Two of three keys update and rotate.",
                 {"normal", 2},
                 update_and_rotate,
                 Kind::did,
                 kTwoOfThree});
}

void add_genesis(std::vector<Scenario>& all) {
  all.push_back(
      {"genesis-missing", "Without a first entry there is no log.", {"not_found"}, [](LogLab& lab) {
         lab.start();
         const Entry second = lab.update(1);
         lab.blobs.clear();
         lab.post(second);
       }});
  all.push_back({"genesis-not-its-scid",
                 "The identifier is the hash of the first entry.",
                 {"not_found"},
                 [](LogLab& lab) {
                   Entry entry = lab.genesis(lab.first_content());
                   lab.subject = entry.id;
                   lab.post(resigned(lab, entry, entry.content->keys.k,
                                     [](Entry& e) { e.time = "2026-01-01T00:00:00Z"; }));
                 }});
  all.push_back({"genesis-of-another-log",
                 "Another log's first entry is junk here.",
                 {"normal", 0, {0}},
                 [](LogLab& lab) {
                   LogLab other(Kind::did, {}, 2);
                   other.start();
                   lab.blobs = other.blobs;
                   lab.start();
                 }});
  all.push_back(
      {"genesis-twice", "A second first entry is junk.", {"normal", 0, {1}}, [](LogLab& lab) {
         lab.start();
         lab.blobs.push_back(lab.blobs.front());
       }});
  all.push_back({"genesis-too-few-signatures",
                 "Two of its three keys must sign it.",
                 {"normal", 0, {0}},
                 [](LogLab& lab) {
                   const Entry good = lab.genesis(lab.first_content());
                   lab.subject = good.id;
                   Entry one = good;
                   one.sigs.pop_back();
                   lab.post(one);
                   lab.post(good);
                 },
                 Kind::did,
                 kTwoOfThree});
  all.push_back({"genesis-announces-an-active-key",
                 "A next key must not be known.",
                 {"not_found"},
                 [](LogLab& lab) {
                   LogContent content = lab.first_content();
                   content.next.kd = {ledger::key_digest(content.keys.k[0])};
                   lab.post(lab.genesis(content));
                   lab.subject = must(ledger::parse_entry(lab.blobs[0].blob)).id;
                 }});
  for (const bool in_test_mode : {false, true}) {
    all.push_back({in_test_mode ? "test-log-in-test-mode" : "test-log",
                   "A test log is for readers in test mode alone.",
                   {in_test_mode ? "normal" : "refused"},
                   [](LogLab& lab) {
                     LogContent content = lab.first_content();
                     content.rec.delay = content.rec.contest = 0s;
                     lab.start_with(content, true);
                   },
                   Kind::did,
                   {},
                   in_test_mode});
  }
  const auto windows = [&](std::string name, std::chrono::seconds delay,
                           std::chrono::seconds contest, bool fine) {
    all.push_back({std::move(name),
                   "C is at least 2 D and 21 days, and D is not 0.",
                   {fine ? "normal" : "not_found"},
                   [=](LogLab& lab) {
                     LogContent content = lab.first_content();
                     content.rec.delay = delay;
                     content.rec.contest = contest;
                     const Entry entry = lab.genesis(content);
                     lab.subject = entry.id;
                     lab.post(entry);
                   }});
  };
  windows("windows-smallest", 72h, 27 * kDay, true);
  windows("windows-contest-too-short", 72h, 27 * kDay - 1s, false);
  windows("windows-no-delay", 0s, 49 * kDay, false);
}

void add_updates(std::vector<Scenario>& all) {
  const auto junk = [&](std::string name, std::string says, std::function<void(LogLab&)> tell,
                        ledger::LogKeyShape shape = {}) {
    all.push_back(
        {std::move(name), std::move(says), {"normal", 0, {1}}, std::move(tell), Kind::did, shape});
  };
  junk("update-changes-next", "An update changes the state alone.",
       [](LogLab& lab) { update_with(lab, [&](LogContent& c) { c.next = lab.fresh_next(); }); });
  junk("update-changes-keys", "An update changes the state alone.", [](LogLab& lab) {
    update_with(lab, [&](LogContent& c) { c.keys.k.push_back(stranger(lab)); });
  });
  junk("update-changes-windows", "An update changes the state alone.",
       [](LogLab& lab) { update_with(lab, [](LogContent& c) { c.rec.contest += 1s; }); });
  junk("update-changes-ledgers", "An update changes the state alone.",
       [](LogLab& lab) { update_with(lab, [](LogContent& c) { c.ledgers = {"L2"}; }); });
  junk("update-of-another-subject", "The document names its own log.", [](LogLab& lab) {
    update_with(lab, [](LogContent& c) { c.state = LogLab::did_state("did:kith:other", "x"); });
  });
  junk("update-by-next-key", "Announced keys have no say before they are active.", [](LogLab& lab) {
    update_signed_by(lab, [&](const LogView& v) { return lab.announced(v.current.next); });
  });
  junk("update-unsigned", "Nobody signed.",
       [](LogLab& lab) { update_signed_by(lab, [](const LogView&) { return Signers{}; }); });
  junk(
      "update-by-one-of-two", "Two must sign.",
      [](LogLab& lab) {
        update_signed_by(lab, [](const LogView& v) { return Signers{v.current.keys.k[1]}; });
      },
      kTwoOfThree);
  junk(
      "update-with-a-stranger", "A signature of somebody who has no say spoils the entry.",
      [](LogLab& lab) {
        update_signed_by(lab, [&](const LogView& v) {
          return Signers{v.current.keys.k[0], v.current.keys.k[1], stranger(lab)};
        });
      },
      kTwoOfThree);
  junk(
      "update-one-signer-twice", "Signers are distinct.",
      [](LogLab& lab) {
        const LogView view = lab.start();
        Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
        lab.sign(entry, {view.current.keys.k[0]});
        entry.sigs.push_back(entry.sigs.front());
        lab.post(entry);
      },
      kTwoOfThree);
  all.push_back({"update-by-a-policy-agent-without-say",
                 "Each change asks for the agents of its rule.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   const LogView view = lab.start();
                   Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
                   lab.post(lab.sign(entry, {crypto::multikey(lab.agents[1].public_key)}));
                 },
                 Kind::policy});
}

void add_rotates(std::vector<Scenario>& all) {
  const auto rotate = [&](std::string name, std::string says, bool counts, std::size_t signers,
                          std::function<void(LogLab&, LogContent&)> change) {
    Expected expected{"normal", counts ? 1U : 0U, {}};
    if (!counts) expected.junk = {1};
    all.push_back(
        {std::move(name),
         std::move(says),
         expected,
         [=](LogLab& lab) { rotate_with(lab, signers, [&](LogContent& c) { change(lab, c); }); },
         Kind::did,
         {KeyType::ed25519, 1, 1, 2, 3, 1, 1}});
  };
  rotate("rotate-by-two", "Two of the announced keys sign.", true, 2, [](LogLab&, LogContent&) {});
  rotate("rotate-by-one", "The announced threshold is two.", false, 1, [](LogLab&, LogContent&) {});
  rotate("rotate-raises-threshold", "The new threshold counts at once.", false, 2,
         [](LogLab&, LogContent& c) { c.keys.t = 3; });
  rotate("rotate-lowers-threshold", "The announced threshold counts still.", false, 1,
         [](LogLab&, LogContent& c) { c.keys.t = 1; });
  rotate("rotate-to-a-stranger", "Every new key was announced.", false, 2,
         [](LogLab& lab, LogContent& c) { c.keys.k[2] = stranger(lab); });
  rotate("rotate-announces-a-known-key", "A next key must not be known.", false, 2,
         [](LogLab&, LogContent& c) { c.next.kd[0] = ledger::key_digest(c.keys.k[0]); });
  rotate("rotate-moves", "A rotate keeps the ledgers.", false, 2,
         [](LogLab&, LogContent& c) { c.ledgers = {"L2"}; });
  rotate("rotate-changes-state-and-authority", "A rotate may set rec and state too.", true, 2,
         [](LogLab& lab, LogContent& c) {
           c.rec.d = lab.fresh_recovery().digest;
           c.state = LogLab::did_state(lab.subject, "new");
         });
  all.push_back({"rotate-by-the-old-key",
                 "The keys that go have no say.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   const LogView view = lab.start();
                   Entry entry = lab.rotate_unsigned();
                   lab.post(lab.sign(entry, view.current.keys.k));
                 }});
}

}  // namespace

std::vector<Scenario> ordinary_scenarios() {
  std::vector<Scenario> all;
  add_operations(all);
  add_genesis(all);
  add_updates(all);
  add_rotates(all);
  return all;
}

}  // namespace kith::test
