#include "tests/ledger/history_scenarios.hpp"

// Logs that change their ledger. They live on L1 first.

namespace kith::test {

namespace {

using std::chrono::milliseconds;
using Tell = std::function<void(LogLab&)>;

std::size_t post_on(LogLab& lab, const char* ledger, const Entry& entry) {
  lab.ledger = ledger;
  return lab.post(entry);
}

void start_on(LogLab& lab, const char* ledger) {
  lab.ledger = ledger;
  lab.start();
}

/// What was on one ledger, put on another by somebody.
void copy_all(LogLab& lab, const char* ledger) {
  const std::size_t count = lab.blobs.size();
  for (std::size_t i = 0; i < count; ++i) {
    lab.blobs.push_back({lab.blobs[i].blob, lab.time, ledger});
  }
}

void add_moves(std::vector<Scenario>& all) {
  for (const Kind kind : {Kind::did, Kind::policy}) {
    all.push_back({std::string("move-of-a-") + (kind == Kind::did ? "did" : "policy"),
                   "What follows a move is on the new ledger, and copies there are no junk.",
                   {"normal", 4},
                   [](LogLab& lab) {
                     start_on(lab, "L1");
                     lab.post(lab.update(1));
                     lab.post(lab.move("L1", "L2"));
                     copy_all(lab, "L2");
                     post_on(lab, "L2", lab.update(2));
                     lab.post(lab.rotate());
                   },
                   kind});
  }
  const auto tell = [&](std::string name, std::string says, Expected expected, Tell story) {
    all.push_back({std::move(name), std::move(says), std::move(expected), std::move(story)});
  };
  tell("move-untold", "Where nobody says which ledger a blob is on, it is where it belongs.",
       {"normal", 2}, [](LogLab& lab) {
         lab.start();
         lab.post(lab.move("L1", "L2"));
         lab.post(lab.update(1));
       });
  tell("move-back", "A log may come back to a ledger.", {"normal", 3}, [](LogLab& lab) {
    start_on(lab, "L1");
    lab.post(lab.move("L1", "L2"));
    post_on(lab, "L2", lab.move("L2", "L1"));
    post_on(lab, "L1", lab.update(1));
  });
  tell("move-too-often", "Only so many moves count.", {"normal", 16, {17}}, [](LogLab& lab) {
    start_on(lab, "L1");
    for (int i = 0; i < 17; ++i) {
      const bool there = i % 2 == 0;
      post_on(lab, there ? "L1" : "L2", lab.move(there ? "L1" : "L2", there ? "L2" : "L1"));
    }
  });
  tell("move-then-updates-on-the-old", "A log that left goes on elsewhere.", {"normal", 2, {2, 4}},
       [](LogLab& lab) {
         start_on(lab, "L1");
         lab.post(lab.move("L1", "L2"));
         lab.post(lab.update(1));
         post_on(lab, "L2", lab.update(2));
         lab.ledger = "L1";
         lab.post(lab.update(3));
       });
  tell("move-and-update", "A move beside another entry of one number is evidence.",
       {"normal", 1, {2}, {}, {}, {2}}, [](LogLab& lab) {
         start_on(lab, "L1");
         const Entry move = lab.move("L1", "L2");
         lab.post(lab.update(1));
         lab.post(move);
       });
}

void add_junk(std::vector<Scenario>& all) {
  const auto junk = [&](std::string name, std::string says, Tell tell) {
    all.push_back({std::move(name),
                   std::move(says),
                   {"normal", 0, {1}},
                   std::move(tell),
                   Kind::did,
                   {KeyType::ed25519, 2, 3, 1, 1, 1, 1}});
  };
  const auto changed = [&](std::string name, std::string says, auto change) {
    junk("move-" + name, std::move(says), [=](LogLab& lab) {
      start_on(lab, "L1");
      lab.post(resigned(lab, lab.move("L1", "L2"), lab.view().current.keys.k,
                        [&](Entry& entry) { change(lab, entry); }));
    });
  };
  changed("changes-keys", "A move keeps the keys.",
          [](LogLab&, Entry& entry) { entry.content->keys.t = 1; });
  changed("changes-next", "A move keeps the next keys.",
          [](LogLab& lab, Entry& entry) { entry.content->next = lab.fresh_next(); });
  changed("changes-authority", "A move keeps the recovery authority.",
          [](LogLab& lab, Entry& entry) { entry.content->rec.d = lab.fresh_recovery().digest; });
  changed("changes-windows", "A move keeps the windows.",
          [](LogLab&, Entry& entry) { entry.content->rec.contest += 24h; });
  changed("changes-state", "A move keeps the state.", [](LogLab& lab, Entry& entry) {
    entry.content->state = lab.did_state(lab.subject, "x");
  });
  changed("from-elsewhere", "A move names the ledger where the log lives.",
          [](LogLab&, Entry& entry) { entry.from = "L3"; });
  junk("move-from-elsewhere-untold", "Also where nobody says which ledger a blob is on.",
       [](LogLab& lab) {
         lab.start();
         lab.post(resigned(lab, lab.move("L1", "L2"), lab.view().current.keys.k,
                           [](Entry& entry) { entry.from = "L3"; }));
       });
  changed("to-where-it-is", "A move leaves its ledger.", [](LogLab&, Entry& entry) {
    entry.content->ledgers = {"L2", "L1"};
  });
  changed("to-nowhere", "A move names a new ledger.",
          [](LogLab&, Entry& entry) { entry.content->ledgers.clear(); });
  junk("move-by-one-of-two", "As many active keys sign as for an update.", [](LogLab& lab) {
    start_on(lab, "L1");
    lab.post(resigned(lab, lab.move("L1", "L2"), {lab.view().current.keys.k[0]}, [](Entry&) {}));
  });
  junk("move-by-next-key", "The next keys do not move.", [](LogLab& lab) {
    start_on(lab, "L1");
    const auto next = lab.announced(lab.view().current.next);
    lab.post(resigned(lab, lab.move("L1", "L2"), {next[0]}, [](Entry&) {}));
  });
  junk("move-not-on-the-old-ledger", "On the new ledger alone a move is nothing.", [](LogLab& lab) {
    start_on(lab, "L1");
    post_on(lab, "L2", lab.move("L1", "L2"));
  });
  junk("move-read-from-the-new-ledger-alone", "Nor where that one holds all the log.",
       [](LogLab& lab) {
         start_on(lab, "L2");
         lab.post(lab.move("L1", "L2"));
       });
  all.push_back({"move-of-a-pair",
                 "A microledger is on no ledger.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   Entry entry = lab.update(1);
                   entry.op = Op::move;
                   entry.from = "L1";
                   lab.post(resigned(lab, entry, lab.view().current.keys.k, [](Entry&) {}));
                 },
                 Kind::pair});
}

/// A thief with the active keys takes the log to a ledger of his, and goes on there.
void steal(LogLab& lab) {
  start_on(lab, "L1");
  lab.post(lab.move("L1", "L2"));
  post_on(lab, "L2", lab.update(1));
  lab.ledger = "L1";
}

void add_contests(std::vector<Scenario>& all) {
  const auto tell = [&](std::string name, std::string says, Expected expected, Tell story) {
    all.push_back({std::move(name), std::move(says), std::move(expected), std::move(story)});
  };
  tell("move-contested", "A recover on the old ledger contests a move and all that followed.",
       {"contested", 2}, [](LogLab& lab) {
         steal(lab);
         lab.post(lab.recover(0));
       });
  tell("move-of-a-thief", "And replaces them: the thief's ledger counts for nothing.",
       {"normal", 2, {2}, {1}}, [](LogLab& lab) {
         steal(lab);
         lab.post(lab.recover(0));
         lab.time += 72h;
         lab.post(lab.update(2));
       });
  tell("move-recover-vetoed", "A recover that was vetoed on the old ledger leaves the move.",
       {"normal", 3, {}, {}, {3}}, [](LogLab& lab) {
         steal(lab);
         lab.post(lab.recover(0));
         lab.post(lab.veto());
         post_on(lab, "L2", lab.update(2));
       });
  for (const bool in_time : {true, false}) {
    Expected expected = in_time ? Expected{"normal", 1, {2}, {1}} : Expected{"normal", 2, {3}};
    tell(in_time ? "move-contest-in-time" : "move-final", "A move stands when C has run.",
         std::move(expected), [=](LogLab& lab) {
           steal(lab);
           const Entry recover = lab.recover(0);
           lab.time += 49 * kDay + milliseconds{in_time ? 0 : 1};
           lab.post(recover);
           lab.time += 72h;
         });
  }
  tell("move-contest-by-the-old-clock", "C runs by the time of the old ledger.",
       {"normal", 1, {2}, {1}}, [](LogLab& lab) {
         steal(lab);
         lab.blobs[2].time += 400 * kDay;
         lab.time += kDay;
         lab.post(lab.recover(0));
         lab.time += 72h;
       });
  tell("move-recover-on-the-new-ledger", "Of what is older than the move the new one says nothing.",
       {"normal", 2, {3}}, [](LogLab& lab) {
         steal(lab);
         post_on(lab, "L2", lab.recover(0));
         lab.time += 72h;
       });
  tell("move-recover-after-it", "Of what came after it the old one says nothing.",
       {"normal", 2, {3}, {2}}, [](LogLab& lab) {
         steal(lab);
         const Entry recover = lab.recover(1);
         lab.post(recover);
         post_on(lab, "L2", recover);
         lab.time += 72h;
       });
}

void add_recovers(std::vector<Scenario>& all) {
  const auto tell = [&](std::string name, std::string says, Expected expected, Tell story) {
    all.push_back({std::move(name), std::move(says), std::move(expected), std::move(story)});
  };
  tell("recover-moves", "A recover may name another ledger.", {"normal", 2, {2}}, [](LogLab& lab) {
    start_on(lab, "L1");
    lab.post(lab.recover_to(0, "L2"));
    lab.time += 72h;
    lab.post(lab.update(1));
    post_on(lab, "L2", lab.update(2));
  });
  tell("recover-leaves-a-dead-ledger", "On the ledger that it names it needs no other.",
       {"normal", 2}, [](LogLab& lab) {
         start_on(lab, "L1");
         post_on(lab, "L2", lab.recover_to(0, "L2"));
         lab.time += 72h;
         lab.post(lab.update(1));
       });
  tell("recover-leaves-a-hostile-ledger", "What the old one shows later does not hold it up.",
       {"normal", 1, {3}, {1}}, [](LogLab& lab) {
         start_on(lab, "L1");
         lab.post(lab.update(1));
         const Entry late = lab.update(2);
         post_on(lab, "L2", lab.recover_to(0, "L2"));
         lab.time += 72h;
         post_on(lab, "L1", late);
       });
  tell("recover-leaves-and-is-vetoed", "It waits for D, and can be vetoed beside it.",
       {"normal", 0, {}, {}, {1}}, [](LogLab& lab) {
         start_on(lab, "L1");
         post_on(lab, "L2", lab.recover_to(0, "L2"));
         lab.post(lab.veto());
         lab.time += 72h;
       });
  tell("recover-on-a-ledger-it-does-not-name", "On another ledger it is nothing.",
       {"normal", 0, {1}}, [](LogLab& lab) {
         start_on(lab, "L1");
         post_on(lab, "L2", lab.recover(0));
         lab.time += 72h;
       });
}

}  // namespace

std::vector<Scenario> move_scenarios() {
  std::vector<Scenario> all;
  add_moves(all);
  add_junk(all);
  add_contests(all);
  add_recovers(all);
  return all;
}

}  // namespace kith::test
