#include "tests/ledger/history_scenarios.hpp"

namespace kith::test {

namespace {

/// Genesis and an update whose text is changed; then the update as it should be.
void changed_text(LogLab& lab, const std::function<std::string(std::string)>& change) {
  lab.start();
  const Bytes good = ledger::entry_blob(lab.update(1));
  lab.post_blob(crypto::to_bytes(change(std::string(crypto::as_text(good)))));
  lab.post_blob(good);
}

std::string replaced_once(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace");
  return text.replace(at, what.size(), by);
}

void two_for_one_number(LogLab& lab) {
  lab.start();
  const Entry first = lab.update(1);
  const Entry second = lab.update(2);
  lab.post(first);
  lab.post(second);
}

void add_forms(std::vector<Scenario>& all) {
  const auto junk = [&](std::string name, std::string says, auto change) {
    all.push_back({std::move(name), std::move(says), {"normal", 1, {1}}, [=](LogLab& lab) {
                     changed_text(lab, change);
                   }});
  };
  junk("form-space", "Canonical JSON has no spaces.",
       [](std::string text) { return replaced_once(std::move(text), "\"id\":", "\"id\": "); });
  junk("form-duplicate-member", "A member comes once.", [](std::string text) {
    return replaced_once(std::move(text), "\"kind\":\"did\"", "\"kind\":\"did\",\"kind\":\"did\"");
  });
  junk("form-unsorted", "Members are in canonical order.", [](std::string text) {
    return replaced_once(replaced_once(std::move(text), "\"kind\":\"did\",", ""),
                         "\"v\":", "\"kind\":\"did\",\"v\":");
  });
  junk("form-unknown-member", "Unknown members are refused: they would be signed unread.",
       [](std::string text) {
         return replaced_once(std::move(text), "\"v\":", "\"unknown\":1,\"v\":");
       });
  junk("form-missing-time", "All members of the operation are there.", [](std::string text) {
    const std::size_t at = text.find("\"time\":");
    const std::size_t end = text.find(',', at);
    return text.erase(at, end - at + 1);
  });
  junk("form-another-version", "This reader knows kith/1.",
       [](std::string text) { return replaced_once(std::move(text), "kith/1", "kith/2"); });
  junk("form-float", "Numbers are integers.",
       [](std::string text) { return replaced_once(std::move(text), "\"n\":1", "\"n\":1.5"); });
  junk("form-exponent", "Numbers have one spelling.",
       [](std::string text) { return replaced_once(std::move(text), "\"n\":1", "\"n\":1e0"); });
  junk("form-null", "There is no null.", [](std::string text) {
    return replaced_once(std::move(text), "\"state\":{", "\"state\":{\"a\":null,");
  });
  junk("form-truncated", "The text ends early.",
       [](std::string text) { return text.substr(0, text.size() - 1); });
  junk("form-trailing-newline", "Nothing follows the text.",
       [](std::string text) { return text + "\n"; });
  junk("form-empty", "An empty blob is junk.", [](const std::string&) { return std::string(); });
  junk("form-escaped", "Characters have one spelling.", [](std::string text) {
    return replaced_once(std::move(text), "\"kind\":\"did\"", "\"kind\":\"\\u0064id\"");
  });
  junk("form-foreign-name", "Names are ASCII.", [](std::string text) {
    return replaced_once(std::move(text), "\"state\":{", "\"state\":{\"\xc3\xa4\":1,");
  });
  junk("form-too-large", "An entry has at most 16 KiB.", [](std::string text) {
    return replaced_once(std::move(text), "\"state\":{",
                         "\"state\":{\"a\":\"" + std::string(16384, 'x') + "\",");
  });
  junk("form-too-deep", "Sixteen levels, no more.", [](std::string text) {
    return replaced_once(std::move(text), "\"state\":{",
                         "\"state\":{\"a\":" + std::string(16, '[') + std::string(16, ']') + ",");
  });
}

/// An update whose document has one member more.
Entry update_with_more(LogLab& lab, Json more) {
  const LogView view = lab.start();
  Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
  entry.content->state.get_object()["more"] = std::move(more);
  return resigned(lab, entry, lab.update_signers(view), [](Entry&) {});
}

/// Lists in a list, `levels` of them.
Json nested(int levels) {
  Json json = JsonArray{};
  for (int i = 1; i < levels; ++i) json = JsonArray{json};
  return json;
}

/// An update of so many bytes. Signatures are not all of one length.
Bytes update_of(LogLab& lab, std::size_t size) {
  Entry entry = update_with_more(lab, "");
  const auto signers = ledger::signers_of(entry);
  std::size_t fill = 0;
  for (char c = 'a'; c <= 'z'; ++c) {
    entry = resigned(lab, entry, signers, [&](Entry& e) {
      e.content->state.get_object()["more"] = std::string(fill, c);
    });
    const Bytes blob = ledger::entry_blob(entry);
    if (blob.size() == size) return blob;
    fill += size - blob.size();
  }
  throw std::runtime_error("no update of that size");
}

/// An update that is signed rightly over half of a surrogate pair.
Bytes half_a_character(LogLab& lab) {
  const std::string half = "\\ud83d";
  Entry entry = update_with_more(lab, "HALF");
  const std::string key = entry.sigs.front().k;
  entry.sigs.clear();
  std::string text =
      replaced_once(std::string(crypto::as_text(ledger::entry_blob(entry))), "HALF", half);
  const std::string unsigned_text = replaced_once(text, ",\"sigs\":[]", "");
  const Bytes message = ledger::signed_message(crypto::sha256(crypto::as_bytes(unsigned_text)));
  const Bytes signature = must(lab.ops.sign(lab.pairs.at(key).sealed, message));
  return crypto::to_bytes(replaced_once(
      std::move(text), "\"sigs\":[]",
      "\"sigs\":[{\"k\":\"" + key + "\",\"s\":\"" + crypto::multibase(signature) + "\"}]"));
}

/// Entries at a limit and just beyond it, rightly signed.
void add_limits(std::vector<Scenario>& all) {
  const auto limit = [&](std::string name, std::string says, bool counts,
                         std::function<Bytes(LogLab&)> blob) {
    Expected expected{"normal", counts ? 1U : 0U, {}};
    if (!counts) expected.junk = {1};
    all.push_back({std::move(name), std::move(says), expected,
                   [=](LogLab& lab) { lab.post_blob(blob(lab)); }});
  };
  const auto deep = [](int levels) {  // Two are the entry and its state.
    return
        [=](LogLab& lab) { return ledger::entry_blob(update_with_more(lab, nested(levels - 2))); };
  };
  limit("form-16-levels", "Sixteen levels, the entry is the first.", true, deep(16));
  limit("form-17-levels", "And no more.", false, deep(17));
  const auto large = [](std::size_t size) {
    return [=](LogLab& lab) { return update_of(lab, size); };
  };
  limit("form-16-kib", "Sixteen KiB with the signatures.", true, large(16384));
  limit("form-16-kib-and-one", "And no more.", false, large(16385));
  limit("form-half-a-character", "Half of a surrogate pair is no text.", false, half_a_character);
  const auto at = [&](std::string name, std::string says, bool counts, const char* time) {
    limit(std::move(name), std::move(says), counts, [=](LogLab& lab) {
      const Entry entry = update_with_more(lab, "");
      return ledger::entry_blob(
          resigned(lab, entry, ledger::signers_of(entry), [&](Entry& e) { e.time = time; }));
    });
  };
  at("form-29-february", "A day that there was.", true, "2024-02-29T23:59:59Z");
  at("form-30-february", "The time is a real one.", false, "2024-02-30T00:00:00Z");
}

void add_chain(std::vector<Scenario>& all) {
  const auto three = [](LogLab& lab) {
    lab.start();
    for (const std::uint64_t salt : {1U, 2U, 3U}) lab.post(lab.update(salt));
  };
  all.push_back({"chain-reordered",
                 "An entry that comes too early is junk, and what follows it.",
                 {"normal", 2, {2}},
                 [=](LogLab& lab) {
                   three(lab);
                   std::swap(lab.blobs[2], lab.blobs[3]);
                 }});
  all.push_back({"chain-entry-missing",
                 "What does not continue the head is junk.",
                 {"normal", 0, {1, 2}},
                 [=](LogLab& lab) {
                   three(lab);
                   lab.blobs.erase(lab.blobs.begin() + 1);
                 }});
  all.push_back({"chain-copy",
                 "A copy of an entry that counted is junk, and no evidence.",
                 {"normal", 3, {4}},
                 [=](LogLab& lab) {
                   three(lab);
                   lab.blobs.push_back(lab.blobs[2]);
                 }});
  const auto wrong = [&](std::string name, std::string says, auto change) {
    all.push_back({std::move(name), std::move(says), {"normal", 3, {4}}, [=](LogLab& lab) {
                     three(lab);
                     lab.post(resigned(lab, lab.update(4), lab.view().current.keys.k, change));
                   }});
  };
  wrong("chain-n-too-large", "n continues the head.", [](Entry& entry) { entry.n += 1; });
  wrong("chain-n-too-small", "n continues the head.", [](Entry& entry) { entry.n -= 1; });
  wrong("chain-wrong-prev", "prev is the hash of the head.",
        [](Entry& entry) { entry.prev = ledger::key_digest("something else"); });
  wrong("chain-another-kind", "A log keeps its kind.",
        [](Entry& entry) { entry.kind = Kind::pair; });
  all.push_back({"chain-another-log",
                 "Entries of another log are junk.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   LogLab other(Kind::did, {}, 2);
                   other.start();
                   lab.post(other.update(1));
                 }});
  all.push_back({"time-runs-back",
                 "An anchor time before the one ahead is read as that one.",
                 {"pending", 0},
                 [](LogLab& lab) {
                   lab.start();
                   const AnchorTime begin = lab.time;
                   const Entry recover = lab.recover(0);
                   lab.time = begin - 1h;
                   lab.post(recover);
                   lab.time = begin + 72h - 1s;
                 }});
}

void add_signatures(std::vector<Scenario>& all) {
  all.push_back({"signature-broken-copy-first",
                 "A copy with a broken signature cannot squat.",
                 {"normal", 1, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   const Entry good = lab.update(1);
                   Entry broken = good;
                   broken.sigs[0].s[5] ^= 1U;
                   lab.post(broken);
                   lab.post(good);
                 }});
  all.push_back({"signature-of-another-entry",
                 "A signature covers its entry alone.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   Entry entry = lab.update(1);
                   entry.sigs = lab.update(2).sigs;
                   lab.post(entry);
                 }});
  all.push_back({"signature-high-s",
                 "ECDSA signatures are low-S.",
                 {"normal", 0, {1}},
                 [](LogLab& lab) {
                   lab.start();
                   Entry entry = lab.update(1);
                   negate_s(entry.sigs[0].s);
                   lab.post(entry);
                 },
                 Kind::did,
                 {KeyType::secp256k1, 1, 1, 1, 1, 1, 1}});
  all.push_back({"duplicity",
                 "A second valid entry for one number is junk, and evidence.",
                 {"normal", 1, {2}, {}, {}, {2}},
                 two_for_one_number});
  all.push_back({"duplicity-forged",
                 "What is not signed rightly is no evidence.",
                 {"normal", 1, {2}},
                 [](LogLab& lab) {
                   lab.start();
                   const Entry first = lab.update(1);
                   Entry second = lab.update(2);
                   second.sigs[0].s[5] ^= 1U;
                   lab.post(first);
                   lab.post(second);
                 }});
  all.push_back({"duplicity-of-agents-of-a-pair",
                 "Two agents of one party may race in good faith.",
                 {"normal", 1, {2}},
                 two_for_one_number,
                 Kind::pair});
}

}  // namespace

std::vector<Scenario> form_scenarios() {
  std::vector<Scenario> all;
  add_forms(all);
  add_limits(all);
  add_chain(all);
  add_signatures(all);
  return all;
}

}  // namespace kith::test
