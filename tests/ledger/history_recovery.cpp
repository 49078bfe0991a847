#include "tests/ledger/history_scenarios.hpp"

namespace kith::test {

namespace {

using std::chrono::milliseconds;
using Tell = std::function<void(LogLab&)>;

constexpr ledger::LogKeyShape kQuorums{KeyType::ed25519, 1, 1, 2, 3, 2, 3};

/// A log with a super-quorum.
LogView start_super(LogLab& lab) {
  LogContent content = lab.first_content();
  content.rec.hi = lab.fresh_recovery().digest;
  return lab.start_with(content);
}

void add_delay(std::vector<Scenario>& all) {
  const auto after = [&](std::string name, milliseconds wait, Expected expected) {
    all.push_back({std::move(name), "A recover takes effect when D has run.", std::move(expected),
                   [=](LogLab& lab) {
                     lab.start();
                     lab.post(lab.recover(0));
                     lab.time += wait;
                   }});
  };
  after("recover-pending", 72h - milliseconds{1}, {"pending", 0});
  after("recover-effective", 72h, {"normal", 1});
  all.push_back({"recover-contests",
                 "It is contested while it would replace what counts.",
                 {"contested", 2},
                 [](LogLab& lab) {
                   lab.start();
                   lab.post(lab.update(1));
                   lab.post(lab.rotate());
                   lab.post(lab.recover(0));
                 }});
  all.push_back({"recover-replaces",
                 "It replaces what came before it and while it was pending.",
                 {"normal", 1, {}, {1, 2, 4}},
                 [](LogLab& lab) {
                   lab.start();
                   lab.post(lab.update(1));
                   lab.post(lab.rotate());
                   lab.post(lab.recover(0));
                   lab.post(lab.update(2));
                   lab.time += 72h;
                 }});
  all.push_back(
      {"recover-then-goes-on", "Its new keys go on with the log.", {"normal", 3}, [](LogLab& lab) {
         lab.start();
         lab.post(lab.recover(0));
         lab.time += 72h;
         lab.post(lab.update(1));
         lab.post(lab.rotate());
       }});
  all.push_back({"recover-of-a-policy",
                 "Policies recover alike.",
                 {"normal", 1},
                 [](LogLab& lab) {
                   lab.start();
                   lab.post(lab.recover(0));
                   lab.time += 72h;
                 },
                 Kind::policy});
  all.push_back({"recover-of-a-pair",
                 "Microledgers recover alike.",
                 {"normal", 1},
                 [](LogLab& lab) {
                   lab.start();
                   lab.post(lab.recover(0));
                   lab.time += 72h;
                 },
                 Kind::pair});
  all.push_back({"recover-of-a-test-log-without-delay",
                 "In test logs D may be 0.",
                 {"normal", 1},
                 [](LogLab& lab) {
                   LogContent content = lab.first_content();
                   content.rec.delay = content.rec.contest = 0s;
                   lab.start_with(content, true);
                   lab.post(lab.recover(0));
                 },
                 Kind::did,
                 {},
                 true});
}

void add_authority(std::vector<Scenario>& all) {
  const auto junk = [&](std::string name, std::string says, Tell tell) {
    all.push_back({std::move(name),
                   std::move(says),
                   {"normal", 0, {1}},
                   std::move(tell),
                   Kind::did,
                   kQuorums});
  };
  junk("recover-by-one-of-two", "The revealed set says how many must sign.", [](LogLab& lab) {
    lab.start();
    Entry entry = lab.recover_unsigned(0);
    lab.post(lab.sign(entry, {entry.reveal->k[0]}));
  });
  junk("recover-lowers-the-threshold", "The digest covers the threshold.", [](LogLab& lab) {
    lab.start();
    Entry entry = lab.recover_unsigned(0);
    entry.reveal->t = 1;
    lab.post(lab.sign(entry, {entry.reveal->k[0]}));
  });
  junk("recover-with-another-salt", "The digest covers the salt.", [](LogLab& lab) {
    lab.start();
    Entry entry = lab.recover_unsigned(0);
    entry.reveal->salt = crypto::multibase(lab.random.bytes(32));
    lab.post(lab.sign(entry, entry.reveal->k));
  });
  junk("recover-by-a-foreign-set", "Only the committed set recovers.", [](LogLab& lab) {
    lab.start();
    Entry entry = lab.recover_unsigned(0);
    entry.reveal = lab.fresh_recovery().reveal;
    lab.post(lab.sign(entry, entry.reveal->k));
  });
  junk("recover-keeps-its-authority", "What was revealed is replaced.", [](LogLab& lab) {
    lab.start();
    Entry entry = lab.recover_unsigned(0);
    entry.content->rec.d = ledger::recovery_digest(*entry.reveal);
    lab.post(lab.sign(entry, entry.reveal->k));
  });
  junk("recover-by-active-keys", "A thief with the active keys cannot recover.", [](LogLab& lab) {
    const LogView view = lab.start();
    Entry entry = lab.recover_unsigned(0);
    lab.post(lab.sign(entry, view.current.keys.k));
  });
  all.push_back({"recover-judged-at-its-fork-point",
                 "A thief's rotate cannot disarm the authority.",
                 {"normal", 1, {}, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   const Entry ours = lab.recover(0);
                   ledger::RecoveryRule theirs = lab.view().current.rec;
                   theirs.d = lab.fresh_recovery().digest;
                   lab.post(lab.rotate(theirs));
                   lab.post(ours);
                   lab.time += 72h;
                 }});
  all.push_back({"recover-from-nowhere",
                 "prev is an entry that counts.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   Entry entry = lab.recover_unsigned(0);
                   entry.prev = ledger::key_digest("nowhere");
                   lab.post(lab.sign(entry, entry.reveal->k));
                 }});
}

void add_windows(std::vector<Scenario>& all) {
  const auto contest = [&](std::string name, milliseconds age, bool ends_log, bool counts) {
    Expected expected{counts ? "normal" : (ends_log ? "deactivated" : "normal"), 1, {}};
    (counts ? expected.replaced : expected.junk) = {counts ? std::size_t{1} : std::size_t{2}};
    all.push_back({std::move(name), "A rotate, or the end of a log, stands when C has run.",
                   expected, [=](LogLab& lab) {
                     lab.start();
                     const Entry ours = lab.recover(0);
                     lab.post(ends_log ? lab.deactivate() : lab.rotate());
                     lab.time += age;
                     lab.post(ours);
                     lab.time += 72h;
                   }});
  };
  contest("contest-rotate-in-time", 49 * kDay, false, true);
  contest("contest-rotate-late", 49 * kDay + milliseconds{1}, false, false);
  contest("contest-end-in-time", 49 * kDay, true, true);
  contest("contest-end-late", 49 * kDay + milliseconds{1}, true, false);
  all.push_back({"contest-update-never-bars",
                 "An update bars no recover, however old.",
                 {"normal", 1, {}, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   lab.post(lab.update(1));
                   lab.time += 365 * kDay;
                   lab.post(lab.recover(0));
                   lab.time += 72h;
                 }});
  const auto shrunk = [&](std::string name, milliseconds age, Expected expected) {
    all.push_back({std::move(name), "A shorter window waits until the longer one has run.",
                   std::move(expected), [=](LogLab& lab) {
                     lab.start();
                     ledger::RecoveryRule shorter = lab.view().current.rec;
                     shorter.delay = 24h;
                     lab.post(lab.rotate(shorter));
                     lab.time += age;
                     lab.post(lab.recover(1));
                     lab.time += 24h;
                   }});
  };
  shrunk("windows-shrunk-too-early", 72h - milliseconds{1}, {"pending", 1});
  shrunk("windows-shrunk", 72h, {"normal", 2});
  const auto contest_shrunk = [&](std::string name, milliseconds until_rotate, milliseconds age,
                                  Expected expected) {
    all.push_back({std::move(name), "So does a shorter time for contests.", std::move(expected),
                   [=](LogLab& lab) {
                     lab.start();
                     ledger::RecoveryRule shorter = lab.view().current.rec;
                     shorter.contest = 27 * kDay;
                     lab.post(lab.rotate(shorter));
                     const Entry ours = lab.recover(1);
                     lab.time += until_rotate;
                     lab.post(lab.rotate());
                     lab.time += age;
                     lab.post(ours);
                     lab.time += 72h;
                   }});
  };
  contest_shrunk("contest-shrunk-too-early", 49 * kDay - milliseconds{1}, 49 * kDay,
                 {"normal", 2, {}, {2}});
  contest_shrunk("contest-shrunk-in-time", 49 * kDay, 27 * kDay, {"normal", 2, {}, {2}});
  contest_shrunk("contest-shrunk-late", 49 * kDay, 27 * kDay + milliseconds{1}, {"normal", 2, {3}});
}

void add_vetoes(std::vector<Scenario>& all) {
  const auto veto = [&](std::string name, milliseconds wait, Expected expected) {
    all.push_back({std::move(name), "A veto cancels until the recover takes effect.",
                   std::move(expected), [=](LogLab& lab) {
                     lab.start();
                     lab.post(lab.recover(0));
                     const Entry entry = lab.veto();
                     lab.time += wait;
                     lab.post(entry);
                   }});
  };
  veto("veto-in-time", 72h - milliseconds{1}, {"normal", 0, {}, {}, {1}});
  veto("veto-late", 72h, {"normal", 1, {2}});
  all.push_back({"veto-then-goes-on",
                 "A veto is never the head.",
                 {"normal", 1, {}, {}, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   lab.post(lab.recover(0));
                   lab.post(lab.veto());
                   lab.post(lab.update(1));
                 }});
  const auto refused = [&](std::string name, std::string says, auto signers) {
    all.push_back({std::move(name),
                   std::move(says),
                   {"pending", 0, {2}},
                   [=](LogLab& lab) {
                     const LogView start = lab.start();
                     lab.post(lab.recover(0));
                     Entry entry = must(ledger::make_veto(lab.view(), lab.time));
                     lab.post(lab.sign(entry, signers(lab, start.current)));
                   },
                   Kind::did,
                   kQuorums});
  };
  using Keys = std::vector<std::string>;
  refused("veto-by-one-next-key", "As many next keys as were announced.",
          [](LogLab& lab, const LogContent& c) { return Keys{lab.announced(c.next)[0]}; });
  refused("veto-by-active-keys", "A thief with the active keys cannot veto.",
          [](LogLab&, const LogContent& c) { return c.keys.k; });
  refused("veto-by-the-recovery-set", "The recovery set alone cannot veto.",
          [](LogLab& lab, const LogContent& c) { return lab.reveals.at(c.rec.d).k; });
  all.push_back({"veto-of-another-entry",
                 "A veto names the pending recover.",
                 {"pending", 0, {2}},
                 [](LogLab& lab) {
                   const LogView start = lab.start();
                   lab.post(lab.recover(0));
                   lab.post(resigned(lab, lab.veto(), lab.announced(start.current.next),
                                     [&](Entry& e) { e.ref = start.head().hash; }));
                 }});
  const auto rest = [&](std::string name, milliseconds wait, Expected expected) {
    all.push_back({std::move(name), "After a veto rec.d rests for 14 days.", std::move(expected),
                   [=](LogLab& lab) {
                     lab.start();
                     lab.post(lab.recover(0));
                     lab.post(lab.veto());
                     lab.time += wait;
                     lab.post(lab.recover(0));
                   }});
  };
  rest("veto-rest", 14 * kDay - milliseconds{1}, {"normal", 0, {3}, {}, {1}});
  rest("veto-rest-is-over", 14 * kDay, {"pending", 0, {}, {}, {1}});
  all.push_back({"veto-is-for-good",
                 "A recover that was vetoed does not come back when the 14 days are over.",
                 {"normal", 0, {3}, {}, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   const Entry recover = lab.recover(0);
                   lab.post(recover);
                   lab.post(lab.veto());
                   lab.time += 15 * kDay;
                   lab.post(recover);
                   lab.time += 72h;
                 }});
  all.push_back({"recover-twice",
                 "In one class the first anchored counts.",
                 {"normal", 1, {2}},
                 [](LogLab& lab) {
                   lab.start();
                   const Entry second = lab.recover(0);
                   lab.post(lab.recover(0));
                   lab.post(second);
                   lab.time += 72h;
                 }});
}

void add_super_quorum(std::vector<Scenario>& all) {
  const auto super = [&](std::string name, std::string says, Expected expected, Tell tell) {
    all.push_back({std::move(name), std::move(says), std::move(expected), [=](LogLab& lab) {
                     start_super(lab);
                     tell(lab);
                   }});
  };
  super("super-recovers", "The super-quorum waits for D too.", {"normal", 1}, [](LogLab& lab) {
    lab.post(lab.super_recover(0));
    lab.time += 72h;
  });
  super("super-beats-pending", "It displaces an ordinary recover that is pending.",
        {"normal", 1, {}, {1}}, [](LogLab& lab) {
          lab.post(lab.recover(0));
          lab.time += 24h;
          lab.post(lab.super_recover(0));
          lab.time += 72h;
        });
  for (const bool in_time : {true, false}) {
    Expected expected{"normal", 1, {}};
    (in_time ? expected.replaced : expected.junk) = {in_time ? std::size_t{1} : std::size_t{2}};
    super(in_time ? "super-contests" : "super-contests-late",
          "It contests an ordinary recover for C after that took effect.", expected,
          [=](LogLab& lab) {
            lab.post(lab.recover(0));
            lab.time += 72h + 49 * kDay + milliseconds{in_time ? 0 : 1};
            lab.post(lab.super_recover(0));
            lab.time += 72h;
          });
  }
  super("super-is-not-displaced", "Neither by an ordinary recover nor by a second of its class.",
        {"normal", 1, {2, 3}}, [](LogLab& lab) {
          const Entry ordinary = lab.recover(0);
          const Entry second = lab.super_recover(0);
          lab.post(lab.super_recover(0));
          lab.post(ordinary);
          lab.post(second);
          lab.time += 72h;
        });
  super("super-single-veto", "A single veto does not cancel it.", {"normal", 1, {2}},
        [](LogLab& lab) {
          lab.post(lab.super_recover(0));
          Entry veto = lab.double_veto();
          lab.post(resigned(lab, veto, lab.announced(lab.view().uncontested_content().next),
                            [](Entry& e) { e.reveal.reset(); }));
          lab.time += 72h;
        });
  super("super-double-veto", "Next keys and the ordinary set together cancel it.",
        {"normal", 0, {}, {}, {1}}, [](LogLab& lab) {
          lab.post(lab.super_recover(0));
          lab.post(lab.double_veto());
          lab.time += 72h;
        });
  super("super-vetoed-then-ordinary", "A double veto gives the ordinary set no rest.",
        {"pending", 0, {}, {}, {1}}, [](LogLab& lab) {
          lab.post(lab.super_recover(0));
          lab.post(lab.double_veto());
          lab.post(lab.recover(0));
        });
  super("super-after-a-veto", "The rest after a veto binds the ordinary set alone.",
        {"pending", 0, {}, {}, {1}}, [](LogLab& lab) {
          lab.post(lab.recover(0));
          lab.post(lab.veto());
          lab.post(lab.super_recover(0));
        });
  super("super-keeps-the-ordinary-set", "A recover changes rec.d, whoever made it.",
        {"normal", 0, {1}}, [](LogLab& lab) {
          const std::string ordinary = lab.view().current.rec.d;
          const Entry entry = lab.super_recover(0);
          lab.post(resigned(lab, entry, entry.reveal->k,
                            [&](Entry& e) { e.content->rec.d = ordinary; }));
        });
  super(
      "super-keeps-its-authority", "What was revealed is replaced.", {"normal", 0, {1}},
      [](LogLab& lab) {
        const std::string hi = *lab.view().current.rec.hi;
        const Entry entry = lab.super_recover(0);
        lab.post(resigned(lab, entry, entry.reveal->k, [&](Entry& e) { e.content->rec.hi = hi; }));
      });
}

}  // namespace

std::vector<Scenario> recovery_scenarios() {
  std::vector<Scenario> all;
  add_delay(all);
  add_authority(all);
  add_windows(all);
  add_vetoes(all);
  add_super_quorum(all);
  return all;
}

}  // namespace kith::test
