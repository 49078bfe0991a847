#include "tests/ledger/history_scenarios.hpp"

// Ledgers that do not take an entry in time, and the witnesses who saw it.

namespace kith::test {

namespace {

using std::chrono::milliseconds;
using Tell = std::function<void(LogLab&)>;

constexpr auto kDelay = 72h;
constexpr auto kContest = 49 * kDay;
constexpr auto kLag = 7 * kDay;

/// A log on a ledger of three witnesses, of whom `w` are asked for.
class Watched {
 public:
  explicit Watched(LogLab& log, std::uint32_t w = 2) : lab(log) {
    descriptor.kind = "host";
    descriptor.origin = "ledger.example";
    descriptor.key = lab.fresh(KeyPurpose::ledger).public_key;
    for (int i = 0; i < 4; ++i) witnesses.push_back(lab.fresh(KeyPurpose::witness));
    for (std::size_t i = 0; i < 3; ++i) {
      descriptor.witnesses.push_back(witnesses[i].public_key);
    }
    descriptor.w = w;
    lab.ledger = ledger::ledger_id(descriptor);
    lab.descriptors = {descriptor};
    LogContent content = lab.first_content();
    content.ledgers = {lab.ledger};
    lab.start_with(content);
    born = lab.time;
  }
  /// Witness `index` (3: a stranger) saw the blob at position `blob`, so long after the beginning.
  ledger::WitnessTime seen(std::size_t index, std::size_t blob, std::chrono::seconds after) {
    return seen(index, lab.blobs[blob].blob, lab.subject, after);
  }
  ledger::WitnessTime seen(std::size_t index, ByteView blob, const std::string& subject,
                           std::chrono::seconds after) {
    const ledger::CosignatureTime time{
        std::chrono::floor<std::chrono::seconds>(born.time_since_epoch()) + after};
    const std::string text = ledger::witness_time_text(subject, ledger::blob_hash(blob), time);
    return {witnesses[index].public_key, time,
            must(lab.ops.sign(witnesses[index].sealed, crypto::as_bytes(text)))};
  }
  /// Each of `by` saw the newest blob.
  void witnessed(const std::vector<std::pair<std::size_t, std::chrono::seconds>>& by) {
    for (const auto& [index, after] : by) {
      ledger::WitnessTime time = seen(index, lab.blobs.size() - 1, after);
      lab.blobs.back().witnessed.push_back(std::move(time));
    }
  }
  void at(milliseconds after) { lab.time = born + after; }

  LogLab& lab;
  ledger::LedgerDescriptor descriptor;
  std::vector<KeyPair> witnesses;
  AnchorTime born;
};

/// A recover that its owner vetoes an hour later, and the host holds the veto back.
void hold_back_veto(Watched& on, milliseconds until = kDelay + 8h) {
  on.lab.post(on.lab.recover(0));
  const Entry veto = on.lab.veto();
  on.at(until);
  on.lab.post(veto);
}

void add_held_back(std::vector<Scenario>& all) {
  const Expected late{"normal", 1, {2}};
  const Expected in_time{"normal", 0, {}, {}, {1}};
  const auto veto = [&](std::string name, std::string says, const Expected& expected,
                        std::function<void(Watched&)> witness, std::uint32_t w = 2) {
    all.push_back({"witnessed-" + std::move(name), std::move(says), expected, [=](LogLab& lab) {
                     Watched on(lab, w);
                     hold_back_veto(on);
                     witness(on);
                   }});
  };
  veto("by-nobody", "A veto that its host anchors too late is late.", late, [](Watched&) {});
  veto("veto", "Where enough witnesses saw it in time it counts.", in_time, [](Watched& on) {
    on.witnessed({{0, 1h}, {2, 2h}});
  });
  veto("veto-unanchored", "Also if the host never shows it.", in_time, [](Watched& on) {
    on.lab.blobs.back().anchored = false;
    on.witnessed({{0, 1h}, {2, 2h}});
  });
  veto("by-nobody-unanchored", "What no ledger shows and no witness saw is nothing.", late,
       [](Watched& on) {
         on.lab.blobs.back().anchored = false;
         on.lab.blobs.back().time = on.born + 1h;
       });
  veto("by-too-few", "One of two that are needed is not enough.", late, [](Watched& on) {
    on.witnessed({{0, 1h}});
  });
  veto("by-one-twice", "A witness counts once.", late, [](Watched& on) {
    on.witnessed({{0, 1h}, {0, 2h}});
  });
  veto("by-a-stranger", "Who is no witness of the ledger counts nothing.", late, [](Watched& on) {
    on.witnessed({{0, 1h}, {3, 1h}});
  });
  veto("by-the-earliest-word", "Of several words of a witness the earliest counts.", in_time,
       [](Watched& on) {
         on.witnessed({{0, 90h}, {0, 1h}, {1, 2h}});
       });
  veto("by-all-the-second-counts", "The time is that of the w-th.", in_time, [](Watched& on) {
    on.witnessed({{0, 90h}, {1, kDelay - 1s}, {2, 1h}});
  });
  veto("by-all-the-second-is-late", "At D the recover has taken effect first.", late,
       [](Watched& on) {
         on.witnessed({{0, 90h}, {1, kDelay}, {2, 1h}});
       });
  veto(
      "by-one-of-one", "As many as the descriptor asks for.", in_time,
      [](Watched& on) {
        on.witnessed({{1, 1h}});
      },
      1);
  veto(
      "where-none-are-needed", "Where w is 0 witnesses count nothing.", late,
      [](Watched& on) {
        on.witnessed({{0, 1h}, {1, 1h}, {2, 1h}});
      },
      0);
  veto("another-blob", "They saw this blob, not another of the same entry.", late, [](Watched& on) {
    const Bytes other = on.lab.blobs[1].blob;
    for (const std::size_t i : {0U, 1U}) {
      on.lab.blobs.back().witnessed.push_back(on.seen(i, other, on.lab.subject, 1h));
    }
  });
  veto("another-log", "They saw it as part of this log.", late, [](Watched& on) {
    const std::string other = "did:kith:" + ledger::blob_hash(on.lab.blobs[1].blob);
    for (const std::size_t i : {0U, 1U}) {
      on.lab.blobs.back().witnessed.push_back(on.seen(i, on.lab.blobs.back().blob, other, 1h));
    }
  });
  veto("time-changed", "Their signature covers the time.", late, [](Watched& on) {
    on.witnessed({{0, 80h}, {1, 80h}});
    for (auto& time : on.lab.blobs.back().witnessed) time.time -= 79h;
  });
  veto("without-the-descriptor", "Who does not know the ledger's witnesses has no use for them.",
       late, [](Watched& on) {
         on.witnessed({{0, 1h}, {1, 1h}});
         on.lab.descriptors.clear();
       });
  veto("by-another-descriptor", "The log names the ledger, and that names its witnesses.", late,
       [](Watched& on) {
         on.witnessed({{0, 1h}, {3, 1h}});
         on.lab.descriptors.front().witnesses.push_back(on.witnesses[3].public_key);
       });
  veto("untold", "It must be known from which ledger an entry comes.", late, [](Watched& on) {
    on.witnessed({{0, 1h}, {1, 1h}});
    for (auto& blob : on.lab.blobs) blob.ledger.clear();
  });
}

void add_lag(std::vector<Scenario>& all) {
  for (const bool in_time : {true, false}) {
    for (const bool anchored : {true, false}) {
      all.push_back({std::string("witnessed-shown-") + (in_time ? "in-time" : "too-late") +
                         (anchored ? "" : "-unanchored"),
                     "What was witnessed must be shown within seven days.",
                     in_time ? Expected{"normal", 0, {}, {}, {1}} : Expected{"normal", 1, {2}},
                     [=](LogLab& lab) {
                       Watched on(lab);
                       hold_back_veto(on, 1h + kLag + milliseconds{in_time ? 0 : 1});
                       on.witnessed({{0, 1h}, {1, 1h}});
                       lab.blobs.back().anchored = anchored;
                     }});
    }
  }
  all.push_back({"witnessed-before-the-recover",
                 "A witness whose clock is behind does no harm to what its host took in time.",
                 {"normal", 0, {}, {}, {1}},
                 [](LogLab& lab) {
                   Watched on(lab);
                   on.at(10h);
                   lab.post(lab.recover(0));
                   on.at(11h);
                   lab.post(lab.veto());
                   on.witnessed({{0, 1h}, {1, 1h}});
                 }});
}

/// A thief rotates; the owner's recover is seen in time, and held back until C is over.
void hold_back_recover(Watched& on, bool witnessed, milliseconds until = kContest + 24h) {
  const Entry recover = on.lab.recover(0);
  on.lab.post(on.lab.rotate());
  on.at(until);
  on.lab.post(recover);
  if (witnessed) on.witnessed({{0, kContest - 48h}, {1, kContest - 47h}});
}

void add_held_back_recovers(std::vector<Scenario>& all) {
  const auto tell = [&](std::string name, std::string says, Expected expected, Tell story) {
    all.push_back(
        {"witnessed-" + std::move(name), std::move(says), std::move(expected), std::move(story)});
  };
  tell("recover-by-nobody", "A recover that its host anchors after C is late.", {"normal", 1, {2}},
       [](LogLab& lab) {
         Watched on(lab);
         hold_back_recover(on, false);
         lab.time += kDelay;
       });
  tell("recover", "Where enough witnesses saw it within C it counts.", {"normal", 1, {}, {1}},
       [](LogLab& lab) {
         Watched on(lab);
         hold_back_recover(on, true);
         lab.time += kDelay;
       });
  tell("recover-waits", "It waits for D from when it was shown.", {"contested", 1},
       [](LogLab& lab) {
         Watched on(lab);
         hold_back_recover(on, true);
         lab.time += kDelay - milliseconds{1};
       });
  tell("recover-kept-secret", "What was witnessed in secret can be vetoed when it comes out.",
       {"normal", 2, {}, {}, {2}}, [](LogLab& lab) {
         Watched on(lab);
         const Entry recover = lab.recover(0);
         lab.post(lab.update(1));
         on.at(kDelay + 24h);
         lab.post(recover);
         on.witnessed({{0, 1h}, {1, 1h}});
         lab.time += 1h;
         lab.post(lab.veto());
         lab.post(lab.update(2));
       });
  tell("recover-first", "In one class the first that was witnessed counts.", {"pending", 0, {1}},
       [](LogLab& lab) {
         Watched on(lab);
         const Entry ours = lab.recover(0);
         on.at(2h);
         lab.post(lab.recover(0));
         on.at(3h);
         lab.post(ours);
         on.witnessed({{0, 1h}, {1, 1h}});
       });
  tell("recover-of-a-policy", "Policies alike.", {"normal", 1, {}, {1}}, [](LogLab& lab) {
    Watched on(lab);
    hold_back_recover(on, true);
    lab.time += kDelay;
  });
  all.back().kind = Kind::policy;
  tell("recover-on-a-new-ledger", "On a new host the old descriptor's witnesses say when it came.",
       {"normal", 1, {}, {1}}, [](LogLab& lab) {
         Watched on(lab);
         const Entry recover = lab.recover_to(0, "L2");
         lab.post(lab.rotate());
         on.at(kContest + 24h);
         lab.ledger = "L2";
         lab.post(recover);
         on.witnessed({{0, kContest}, {1, kContest}});
         lab.time += kDelay;
       });
  tell("veto-of-a-recover-elsewhere", "And when the veto of it came.", {"normal", 0, {}, {}, {1}},
       [](LogLab& lab) {
         Watched on(lab);
         const std::string here = lab.ledger;
         lab.ledger = "L2";
         lab.post(lab.recover_to(0, "L2"));
         const Entry veto = lab.veto();
         on.at(kDelay + 1h);
         lab.ledger = here;
         lab.post(veto);
         on.witnessed({{0, 1h}, {1, 1h}});
       });
}

void add_others(std::vector<Scenario>& all) {
  all.push_back({"witnessed-rotate",
                 "No other operation is judged by witnesses' times.",
                 {"normal", 1, {2}, {}, {}, {2}},
                 [](LogLab& lab) {
                   Watched on(lab);
                   const Entry rotate = lab.rotate();
                   on.at(2h);
                   lab.post(lab.update(1));
                   on.at(3h);
                   lab.post(rotate);
                   on.witnessed({{0, 1h}, {1, 1h}});
                 }});
  all.push_back({"witnessed-update-unanchored",
                 "Nor does one that no ledger shows count by them.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   Watched on(lab);
                   on.at(1h);
                   lab.post(lab.update(1));
                   on.witnessed({{0, 1h}, {1, 1h}});
                   lab.blobs.back().anchored = false;
                 }});
}

}  // namespace

std::vector<Scenario> witnessed_scenarios() {
  std::vector<Scenario> all;
  add_held_back(all);
  add_lag(all);
  add_held_back_recovers(all);
  add_others(all);
  return all;
}

}  // namespace kith::test
