#include "recovery/device_open.hpp"

#include <algorithm>
#include <set>

#include "ledger/descriptor.hpp"
#include "ledger/identity.hpp"
#include "ledger/policy.hpp"
#include "protocol/audit_log.hpp"
#include "recovery/finish.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/vouch.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kSummary = "recover-opening";

/// A typed record out of a snapshot; nullopt where it is missing or damaged.
template <class T>
std::optional<T> saved_record(ByteView snapshot, std::string_view collection, std::string_view id) {
  const auto bytes = snapshot_record(snapshot, collection, id);
  if (!bytes.has_value() || !*bytes) return std::nullopt;
  auto value = protocol::decode_record<T>(**bytes);
  if (!value.has_value()) return std::nullopt;
  return std::move(*value);
}

std::string_view blame_text(BlameReason reason) {
  switch (reason) {
    case BlameReason::bad_proof:
      return "the answer's proof does not hold";
    case BlameReason::unknown_leaf:
      return "the answer is for a share that was never given out";
    case BlameReason::malformed:
      return "the answer could not be read";
  }
  return "";
}

/// Sessions that were asked for `source`, in the order of Collected::sessions.
std::vector<DeviceSession> asked_sessions(Host& host, const std::string& source) {
  std::vector<DeviceSession> sessions = device_sessions(host);
  std::erase_if(sessions, [&](const DeviceSession& session) {
    return std::ranges::none_of(session.asked,
                                [&](const PointsAsked& asked) { return asked.source == source; });
  });
  return sessions;
}

/// After success: who answered badly. The set inside the backup tells stale from invented.
void name_the_blamed(Host& host, const Source& source, Collected collected,
                     const std::optional<OwnerSet>& set, OpeningSummary& summary) {
  if (set) {
    for (const auto& leaf : set->record.leaves) {
      collected.known.push_back({leaf.record_id, leaf.version});
    }
  }
  const auto combined = combine(collected);
  if (!combined.has_value()) return;
  const auto sessions = asked_sessions(host, source.id);
  summary.blamed.clear();
  for (const Blame& blame : combined->blame) {
    const DeviceSession& session = sessions[collected.answers[blame.answer].session];
    const std::string id = crypto::hex(session.id);
    const bool named = std::ranges::any_of(
        summary.blamed, [&](const BlamedTrustee& other) { return other.session == id; });
    if (!named) {
      summary.blamed.push_back({id, session.label, std::string(blame_text(blame.reason))});
    }
  }
}

void want_log(OpeningSummary& summary, const std::string& subject, const std::string& url) {
  const WantedLog wanted{subject, url};
  if (subject.empty() || url.empty()) return;
  if (std::ranges::find(summary.logs, wanted) == summary.logs.end()) summary.logs.push_back(wanted);
}

/// Opens every vouch that Y opens, of all sessions.
void open_vouches(Host& host, const SecretPoint& recovery_key, OpeningSummary& summary) {
  summary.vouches.clear();
  for (const DeviceSession& session : device_sessions(host)) {
    if (session.box.empty()) continue;
    SessionVouches seen{crypto::hex(session.id), {}, {}};
    std::set<std::string> policies, records;
    for (const ArrivedAnswer& arrived : arrived_answers(host)) {
      if (arrived.session != seen.session) continue;
      const auto answer = read_answer(arrived.answer);
      if (!answer.has_value()) continue;
      const auto vouch = open_vouch(recovery_key, answer->r, answer->record_id, answer->vouch);
      if (!vouch.has_value()) continue;
      records.insert(crypto::hex(answer->record_id));
      policies.insert(vouch->policy_address);
      for (const std::string& text : vouch->ledger_descriptors) {
        const auto descriptor = ledger::parse_descriptor(text);
        if (!descriptor.has_value()) continue;
        for (const std::string& url : descriptor->urls) {
          want_log(summary, vouch->policy_address, url);
        }
      }
    }
    seen.policies.assign(policies.begin(), policies.end());
    seen.records.assign(records.begin(), records.end());
    summary.vouches.push_back(std::move(seen));
  }
}

/// Which backup the trustees' heads call the newest.
void open_heads(Host& host, const OpenedSet& set, OpeningSummary& summary) {
  const Digest core = crypto::core_digest(set.backup.core);
  summary.newest_known = 0;
  summary.other_newest = false;
  for (const ArrivedAnswer& arrived : arrived_answers(host)) {
    const auto answer = read_answer(arrived.answer);
    if (!answer.has_value() || answer->head.empty()) continue;
    const auto head = open_head(set.recovery_key, answer->r, answer->record_id, answer->head);
    if (!head.has_value()) continue;
    summary.newest_known = std::max(summary.newest_known, head->counter);
    if (head->counter == summary.counter && head->core_digest != core) summary.other_newest = true;
  }
}

/// What the wallet inside says of itself, and the logs that it holds.
void note_wallet(Host& host, const OpenedSet& set, OpeningSummary& summary) {
  const auto snapshot = set.backup.content.expose();
  const auto own = saved_record<ledger::Identity>(snapshot, "meta", "identity");
  if (!own) {
    summary.problem = "The backup holds no identity.";
    return;
  }
  summary.identity_name = own->name;
  summary.policy = own->policy;
  summary.did = own->did;
  summary.home = {own->ledger_id, own->ledger_url};
  want_log(summary, own->did, own->ledger_url);
  want_log(summary, own->policy, own->ledger_url);
  for (const std::string& subject : {own->did, own->policy}) {
    const auto log = saved_record<ledger::StoredLog>(snapshot, "log", subject);
    if (!log) continue;
    LogRead read = log_read(host, subject).value_or(LogRead{});
    read.saved = log->blobs;
    save_log_read(host, subject, read);
  }
  summary.planned.clear();
  if (const auto job = saved_record<FinishJob>(snapshot, "recovery-record", "finish")) {
    for (const PlannedEntry& entry : job->entries) {
      if (entry.subject == own->policy) summary.planned.push_back(entry.blob);
    }
  }
}

void note_opened(Host& host, const Source& source, const Collected& collected,
                 const Opening& opening, OpeningSummary& summary) {
  const OpenedSet& set = *opening.set;
  const bool first = !summary.opened;
  summary.opened = true;
  summary.sheet_suspect = false;
  summary.problem.clear();
  summary.source = source.id;
  summary.anchor = anchor_text(set.anchor);
  summary.signer = set.backup.signer;
  summary.counter = set.backup.core.counter;
  summary.created =
      protocol::from_epoch_seconds(static_cast<std::int64_t>(set.backup.core.created_s));
  name_the_blamed(host, source, collected,
                  saved_record<OwnerSet>(set.backup.content.expose(), "recovery-record", "set"),
                  summary);
  note_wallet(host, set, summary);  // The ledger that it names is asked before those of vouches.
  open_vouches(host, set.recovery_key, summary);
  open_heads(host, set, summary);
  if (!first) return;
  host.audit("recover.opened", {{"answers", summary.good_answers}});
  host.notify({"recover",
               "Your backup is open. Look at `kith recover status`, compare the four words, and "
               "take your identity back with `kith recover finish`.",
               {},
               {}});
}

/// Tries one source; true when it opened.
bool try_source(Host& host, const Source& source, OpeningSummary& summary) {
  const Collected collected = collect(host, source);
  if (collected.answers.empty()) return false;
  const auto opening = open_source(collected, source, host.keys());
  if (!opening.has_value()) {
    summary.problem = opening.error().detail;
    return false;
  }
  summary.good_answers =
      std::max(summary.good_answers, static_cast<std::uint32_t>(opening->combined.leaves_counted));
  summary.sheet_suspect = opening->combined.sheet_suspect;
  if (!opening->set) return false;
  summary.good_answers = static_cast<std::uint32_t>(opening->combined.leaves_counted);
  note_opened(host, source, collected, *opening, summary);
  return true;
}

}  // namespace

Collected collect(Host& host, const Source& source) {
  Collected collected;
  collected.targets = source.targets;
  collected.sheets.push_back(source.sheet);
  for (const Source& other : sources(host)) {
    if (other.id != source.id) collected.sheets.push_back(other.sheet);
  }
  const auto sessions = asked_sessions(host, source.id);
  for (const DeviceSession& session : sessions) {
    const auto asked = std::ranges::find(session.asked, source.id, &PointsAsked::source);
    collected.sessions.push_back({session.id, session.key, asked->blinding});
  }
  for (ArrivedAnswer& arrived : arrived_answers(host)) {
    if (arrived.source != source.id) continue;
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      if (crypto::hex(sessions[i].id) == arrived.session) {
        collected.answers.push_back({i, std::move(arrived.answer)});
        break;
      }
    }
  }
  return collected;
}

Result<Opening> open_source(const Collected& collected, const Source& source, KeyOps& keys) {
  TRY(Combined combined, combine(collected));
  Opening opening{std::move(combined), std::nullopt};
  if (!opening.combined.opened) return opening;
  const Opened& opened = *opening.combined.opened;
  if (opened.points.size() < 2 || !opened.points[0] || !opened.points[1]) {
    return fail(Errc::bad_key,
                "capsule and backup belong to different sets: the location is wrong");
  }
  TRY(OpenedCapsule capsule,
      open_capsule(source.capsule, opened.recovery_key, *opened.points[0], keys));
  if (capsule.set_id != source.sheet.set_id()) {
    return fail(Errc::malformed, "capsule and sheet belong to different sets");
  }
  TRY(crypto::OpenedContainer backup,
      crypto::open_container(source.backup, opened.recovery_key, *opened.points[1]));
  if (backup.core.format != crypto::ContainerFormat::backup) {
    return fail(Errc::malformed, "what the location gave is no backup");
  }
  OpenedSet set{opened.recovery_key.clone(), std::move(capsule), std::move(backup), {}};
  set.anchor = anchor(set.recovery_key, source.sheet.set_id(), source.sheet.digest(),
                      capsule_digest(source.capsule));
  opening.set = std::move(set);
  return opening;
}

OpeningSummary opening_summary(Host& host) {
  return load<OpeningSummary>(host, "meta", kSummary).value_or(OpeningSummary{});
}

namespace {

/// Leaves that `session` has answered with, as far as they can be read.
std::vector<SheetLeaf> answered_leaves(const std::vector<ArrivedAnswer>& answers,
                                       const std::string& session) {
  std::vector<SheetLeaf> leaves;
  for (const ArrivedAnswer& arrived : answers) {
    if (arrived.session != session) continue;
    const auto answer = read_answer(arrived.answer);
    if (!answer.has_value()) continue;
    leaves.push_back({answer->record_id, answer->version, answer->x_path, answer->share_point});
  }
  return leaves;
}

bool knows_any(const Source& source, const std::vector<SheetLeaf>& leaves) {
  return std::ranges::any_of(leaves,
                             [&](const SheetLeaf& leaf) { return source.sheet.has_leaf(leaf); });
}

/// For how many sessions' answers a source's sheet speaks.
struct Ranked {
  const Source* source = nullptr;
  std::size_t sessions = 0;
};
std::vector<Ranked> rank(const std::vector<Source>& all, const std::vector<DeviceSession>& sessions,
                         const std::vector<ArrivedAnswer>& answers) {
  std::vector<Ranked> ranked;
  for (const Source& source : all) {
    Ranked one{&source, 0};
    for (const DeviceSession& session : sessions) {
      if (knows_any(source, answered_leaves(answers, crypto::hex(session.id)))) ++one.sessions;
    }
    ranked.push_back(one);
  }
  std::ranges::stable_sort(ranked, [](const Ranked& a, const Ranked& b) {
    if (a.sessions != b.sessions) return a.sessions > b.sessions;
    return a.source->targets[1].counter > b.source->targets[1].counter;
  });
  return ranked;
}

/// Asks each trustee for one source: the first whose sheet knows its share, or, as long as no sheet
/// does, one after the other. Releases are limited, and a liar may name places of its own.
void ask_trustees(Host& host, const std::vector<Ranked>& ranked, const OpeningSummary& summary) {
  const auto answers = arrived_answers(host);
  for (const DeviceSession& session : device_sessions(host)) {
    const auto leaves = answered_leaves(answers, crypto::hex(session.id));
    const bool on_a_sheet = std::ranges::any_of(
        ranked, [&](const Ranked& one) { return knows_any(*one.source, leaves); });
    for (const Ranked& one : ranked) {
      const Source& source = *one.source;
      if (on_a_sheet && !knows_any(source, leaves)) continue;
      if (ask_for_points(host, session.id, source.id, source.targets)) break;
      if (summary.opened && source.id == summary.source) break;  // Nothing better comes after it.
    }
  }
}

/// What is wrong with what each source's location gave.
void say_what_is_wrong(Host& host, const std::vector<Ranked>& ranked,
                       const OpeningSummary& summary) {
  std::map<std::string, std::string> problems;
  std::set<std::string> useless;
  const bool any_answer = !arrived_answers(host).empty();
  const auto opened = std::ranges::find_if(
      ranked, [&](const Ranked& one) { return one.source->id == summary.source; });
  for (const Ranked& one : ranked) {
    if (summary.opened && one.source->id == summary.source) continue;
    if (any_answer && one.sessions == 0) {
      useless.insert(one.source->id);
      problems[one.source->id] = "what it gave fits no trustee's answer";
    }
    if (!summary.opened || opened == ranked.end()) continue;
    const bool same_set = one.source->sheet.encoded() == opened->source->sheet.encoded() &&
                          one.source->capsule == opened->source->capsule;
    problems[one.source->id] = !same_set ? "it gave another recovery set's data"
                               : one.source->targets[1].counter < summary.counter
                                   ? "it gave an older backup"
                                   : "its backup does not open";
  }
  judge_locations(host, problems, useless);
}

}  // namespace

void evaluate(Host& host) {
  OpeningSummary summary = opening_summary(host);
  const std::vector<Source> all = sources(host);
  const auto ranked = rank(all, device_sessions(host), arrived_answers(host));
  ask_trustees(host, ranked, summary);
  for (const Ranked& one : ranked) {
    if (!summary.opened || one.source->id == summary.source) {
      if (try_source(host, *one.source, summary)) break;
      continue;
    }
    OpeningSummary better;  // What opened stays, unless this one opens too.
    better.opened = true;   // The user was told already.
    if (!try_source(host, *one.source, better)) continue;
    summary = std::move(better);
    break;
  }
  say_what_is_wrong(host, ranked, summary);
  save(host, "meta", kSummary, summary);
  if (summary.opened) read_wanted_logs(host);
}

Result<OpenedSet> open_again(Host& host) {
  const OpeningSummary summary = opening_summary(host);
  if (!summary.opened) return fail(Errc::not_enough, "ask another trustee");
  for (const Source& source : sources(host)) {
    if (source.id != summary.source) continue;
    TRY(Opening opening, open_source(collect(host, source), source, host.keys()));
    if (opening.set) return std::move(*opening.set);
  }
  return fail(Errc::not_enough, "what had opened does not open any more");
}

}  // namespace kith::recovery
