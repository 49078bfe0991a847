#include "recovery/super_use.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "protocol/sender.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish_steps.hpp"
#include "recovery/owner_upload.hpp"
#include "recovery/super_held.hpp"
#include "recovery/super_judge.hpp"
#include "recovery/super_owner.hpp"
#include "recovery/super_reading.hpp"
#include "recovery/vault_keys.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kUseRecord = "super-use";
constexpr Duration kUseLookFirst{2'000};
constexpr Duration kUseLookMax{60'000};

/// Stored: never renumber.
enum class UseStep : std::uint8_t { gathering = 1, posted = 2, done = 3, over = 4 };
constexpr bool is_valid(UseStep step) {
  return step >= UseStep::gathering && step <= UseStep::over;
}

/// Stored: never renumber.
enum class SignerStep : std::uint8_t { asked = 1, signed_it = 2, declined = 3 };
constexpr bool is_valid(SignerStep step) {
  return step >= SignerStep::asked && step <= SignerStep::declined;
}

struct UseEntry {
  std::string subject;
  Bytes blob;  ///< Without signatures.
  std::string hash;
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("blob", blob), v("hash", hash);
  }
};

struct UseSigner {
  std::string contact_id;
  SignerStep step = SignerStep::asked;
  std::string reason;
  std::vector<std::string> keys;  ///< One for each entry, in their order.
  std::vector<SuperSigned> signatures;
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("step", step), v("reason", reason), v("keys", keys);
    v("signatures", signatures);
  }
};

struct SuperUse {
  std::string id;
  UseStep step = UseStep::gathering;
  std::vector<UseEntry> entries;
  std::vector<UseSigner> signers;
  std::uint32_t threshold = 0;
  std::string text;
  std::string problem;
  std::uint64_t backup = 0;  ///< Counter of the backup waited for; 0: none is begun.
  std::uint32_t tries = 0;
  std::uint32_t said = 0;  ///< How often the holders were asked.
  Time say_again{};
  Time begun{};
  Time expires{};
  template <class V>
  void visit(V& v) {
    v("id", id), v("step", step), v("entries", entries), v("signers", signers);
    v("threshold", threshold), v("text", text), v("problem", problem), v("backup", backup);
    v("tries", tries), v("said", said), v("say_again", say_again), v("begun", begun);
    v("expires", expires);
  }
};

std::optional<SuperUse> super_use(Host& host) {
  return load<SuperUse>(host, "meta", kUseRecord);
}
void save_use(Host& host, const SuperUse& use) {
  save(host, "meta", kUseRecord, use);
}

std::string_view step_name(UseStep step) {
  switch (step) {
    case UseStep::gathering:
      return "gathering";
    case UseStep::posted:
      return "posted";
    case UseStep::done:
      return "done";
    case UseStep::over:
      return "over";
  }
  return "";
}

// --- Making the entries

/// A log, and the entry that is to be followed.
struct Captured {
  std::string log;
  ledger::LogView view;
  std::size_t fork = 0;
  bool captured = false;
};

/// The newest entry that this wallet made: its vault holds the keys that the entry announces.
Result<Captured> captured_log(Host& host, std::string_view log, const std::string& subject) {
  Captured found{std::string(log), {}, 0, false};
  TRY(found.view, ledger::stored_view(host, subject));
  for (std::size_t i = found.view.history.size(); i-- > 0;) {
    if (!found.view.history[i].entry->content || !is_own_entry(host, found.view, i)) continue;
    found.fork = i;
    const bool foreign_pending = found.view.pending && !is_own_pending(host, found.view);
    found.captured = foreign_pending || i + 1 < found.view.history.size();
    return found;
  }
  return fail(Errc::not_found, "this wallet knows no entry of " + subject);
}

const ledger::LogContent& fork_content(const Captured& log) {
  return *log.view.history[log.fork].entry->content;
}

bool names_set(const Captured& log, const SuperSet& set) {
  const SuperOpening* opening = set.opening_of(log.log);
  const auto& hi = fork_content(log).rec.hi;
  return opening != nullptr && hi && *hi == ledger::recovery_digest(opening->reveal());
}

/// The newest super-quorum that the captured logs name where they fork. A log that nobody took is
/// left alone if it does not name it: an earlier use may have got one of the two back.
Result<SuperSet> set_for(Host& host, std::vector<Captured>& logs) {
  const std::vector<SuperSet> sets = super_sets(host);
  for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
    const bool named = std::ranges::all_of(
        logs, [&](const Captured& log) { return !log.captured || names_set(log, *set); });
    if (!named) continue;
    std::erase_if(logs, [&](const Captured& log) { return !names_set(log, *set); });
    return *set;
  }
  return fail(Errc::wrong_state,
              "there is no last resort: your logs named none when you wrote them last");
}

Result<ledger::Entry> make_entry(Host& host, const Captured& log, const SuperOpening& opening) {
  const ledger::LogContent& fork = fork_content(log);
  TRY(const KeyPair agent, ledger::own_agent_key(host));
  const std::string& subject = log.view.subject;
  TRY(Json state, log.log == kDidLog ? new_document(host, subject, fork.state)
                                     : new_policy_state(agent.public_key, fork.state));
  TRY(const ledger::LogKeys keys, ledger::generate_log_keys(host.keys(), host.random()));
  CHECK(ledger::keep_log_keys(host, subject, keys));
  ledger::LogContent content = ledger::make_content(keys, fork.ledgers, std::move(state));
  content.rec.delay = fork.rec.delay;
  content.rec.contest = fork.rec.contest;
  return ledger::make_recover(log.view, log.view.history[log.fork].entry->n, opening.reveal(),
                              content, ledger::anchor_time(host.now()));
}

/// The holders will ask the same of their readers.
Result<void> check_entry(Host& host, const Captured& log, const ledger::Entry& entry) {
  const auto blobs = ledger::stored_blobs(host, entry.id);
  ledger::ReaderOptions options{ledger::anchor_time(host.now()), host.test_mode()};
  const auto& ledgers = entry.content->ledgers;
  if (ledger::is_marked(blobs) && !ledgers.empty()) options.ledger = ledgers.front();
  return check_super_entry({log.view, blobs, options}, entry, entry.reveal->k.front());
}

std::vector<UseSigner> signers_of(const SuperSet& set, const std::vector<Captured>& logs) {
  std::vector<UseSigner> signers;
  for (const SuperHolder& holder : set.holders) {
    UseSigner signer;
    signer.contact_id = holder.contact_id;
    for (const Captured& log : logs) signer.keys.push_back(holder.key_of(log.log));
    signers.push_back(std::move(signer));
  }
  return signers;
}

// --- Asking

void ask_holders(Host& host, SuperUse& use) {
  std::vector<Bytes> blobs;
  for (const UseEntry& entry : use.entries) blobs.push_back(entry.blob);
  for (const UseSigner& signer : use.signers) {
    const auto contact = protocol::find_contact(host, signer.contact_id);
    if (!contact || signer.step != SignerStep::asked) continue;
    // A recovered device has new keys of its relationships, of which nobody knows yet.
    if (!ledger::in_sync(host, *contact)) ledger::send_sync(host, *contact);
    static_cast<void>(send_super(host, *contact, "recovery", SuperRequest::kName,
                                 SuperRequest{use.id, blobs, use.text}, use.expires));
  }
  const Duration wait = std::min<Duration>(
      Duration(super_limits::kRepeatFirst) * (1 << std::min<std::uint32_t>(use.said, 12)),
      super_limits::kRepeatMax);
  ++use.said;
  use.say_again = host.now() + wait;
}

void tell_outcome(Host& host, const SuperUse& use, const std::string& outcome) {
  for (const UseSigner& signer : use.signers) {
    const auto contact = protocol::find_contact(host, signer.contact_id);
    if (!contact) continue;
    static_cast<void>(
        send_super(host, *contact, "recovery", SuperOutcome::kName, SuperOutcome{use.id, outcome}));
  }
}

// --- Going on

/// What was never posted leaves no active keys behind.
void end_use(Host& host, SuperUse& use, std::string problem) {
  if (use.step == UseStep::gathering) {
    for (const UseEntry& held : use.entries) {
      const auto entry = ledger::parse_entry(held.blob);
      for (const std::string& key : entry->content->keys.k) ledger::forget_log_key(host, key);
    }
    tell_outcome(host, use, "withdrawn");
  }
  use.step = UseStep::over;
  use.problem = std::move(problem);
  host.audit("super.over");
}

/// With as many signatures as it takes, if they are there.
std::optional<ledger::Entry> signed_entry(const SuperUse& use, const UseEntry& held) {
  auto entry = ledger::parse_entry(held.blob);
  for (const UseSigner& signer : use.signers) {
    for (const SuperSigned& one : signer.signatures) {
      if (one.entry != held.hash || entry->sigs.size() >= entry->reveal->t) continue;
      static_cast<void>(ledger::attach_signature(*entry, {one.k, one.s}));
    }
  }
  if (entry->sigs.size() < entry->reveal->t) return std::nullopt;
  return std::move(*entry);
}

bool enough_signed(const SuperUse& use) {
  return std::ranges::all_of(
      use.entries, [&](const UseEntry& entry) { return signed_entry(use, entry).has_value(); });
}

/// The new keys lie in a backup, where there are any.
bool is_backed_up(Host& host, SuperUse& use) {
  if (!backups_are_kept(host)) return true;
  if (use.backup != 0 && backup_stored(host, use.backup)) return true;
  if (backup_runs(host)) return false;
  const auto begun = begin_backup(host);
  if (begun.has_value()) {
    use.backup = *begun;
  } else {
    use.problem = begun.error().detail;
  }
  return false;
}

/// The finish job of a recovered device goes on with these entries in the place of its own.
void hand_to_finish(Host& host, const std::string& subject, const Bytes& blob) {
  auto job = finish_job(host);
  if (!job || job->step > FinishStep::identity) return;
  std::erase_if(job->entries, [&](const PlannedEntry& entry) { return entry.subject == subject; });
  job->entries.push_back({subject, blob, true});
  job->slow = true;
  save_finish_job(host, *job);
}

void post_all(Host& host, SuperUse& use) {
  for (const UseEntry& held : use.entries) {
    const ledger::Entry entry = *signed_entry(use, held);
    const auto posted = ledger::post_entry(host, held.subject, entry);
    if (!posted.has_value()) {
      host.notify({"alarm",
                   "Your last resort could not be posted (" + posted.error().detail +
                       "). Look at `kith policy history`.",
                   held.subject,
                   {}});
      use.problem = posted.error().detail;
      continue;
    }
    hand_to_finish(host, held.subject, ledger::entry_blob(entry));
  }
  use.step = UseStep::posted;
  use.tries = 0;
  tell_outcome(host, use, "posted");
  host.audit("super.posted");
  host.notify({"recovery",
               "Enough of those who hold your last resort have signed. It counts when the waiting "
               "time of your logs is over: see `kith recovery super-status`.",
               {},
               {}});
}

enum class Standing { waits, counts, gone };
Standing standing_of(Host& host, const UseEntry& held) {
  const auto view = ledger::stored_view(host, held.subject);
  if (!view.has_value()) return Standing::waits;
  const auto is_it = [&](const ledger::LogRecord& record) { return record.hash == held.hash; };
  if (view->pending && is_it(view->pending->record)) return Standing::waits;
  if (std::ranges::any_of(view->history, is_it)) return Standing::counts;
  return ledger::posted(host, held.subject) ? Standing::gone : Standing::waits;
}

void check_posted(Host& host, SuperUse& use) {
  bool all_count = true;
  for (const UseEntry& held : use.entries) {
    const Standing standing = standing_of(host, held);
    if (standing == Standing::gone) {
      host.notify({"alarm",
                   "Somebody objected to your last resort, or another recovery came first. See "
                   "`kith policy history`; you can begin again: kith recovery super-start",
                   held.subject,
                   {}});
      return end_use(host, use, "somebody objected, or another recovery came first");
    }
    all_count = all_count && standing == Standing::counts;
  }
  if (!all_count) return;
  use.step = UseStep::done;
  host.audit("super.done");
  host.notify({"recovery",
               "You have your identity back. Its last resort is used up: choose a new one with "
               "`kith recovery super-setup`.",
               {},
               {}});
}

void look_at_use(Host& host, SuperUse& use) {
  const Duration wait =
      std::min(kUseLookFirst * (1 << std::min<std::uint32_t>(use.tries, 8)), kUseLookMax);
  ++use.tries;
  host.set_timer(kSuperModule, kSuperUseTimer, host.now() + wait);
}

void advance_use(Host& host, SuperUse use) {
  if (use.step == UseStep::gathering) {
    if (host.now() >= use.expires) {
      host.notify({"alarm",
                   "Too few of those who hold your last resort have signed in time. Begin again: "
                   "kith recovery super-start",
                   {},
                   {}});
      end_use(host, use, "too few signed in time");
    } else {
      const bool backed_up = is_backed_up(host, use);
      if (backed_up && enough_signed(use)) {
        use.problem.clear();
        post_all(host, use);
      } else if (host.now() >= use.say_again) {
        ask_holders(host, use);
      }
    }
  } else if (use.step == UseStep::posted) {
    check_posted(host, use);
  }
  if (use.step == UseStep::gathering || use.step == UseStep::posted) look_at_use(host, use);
  save_use(host, use);
}

// --- Answers

/// The open request, and who answered it.
struct Answered {
  SuperUse use;
  std::size_t signer = 0;
  Contact contact;
};
Result<Answered> answered(Host& host, const Inbound& inbound, const std::string& id) {
  TRY(Contact contact, protocol::sender_of(host, inbound));
  auto use = super_use(host);
  if (!use || use->id != id) return fail(Errc::expired, "that request is over");
  const auto signer = std::ranges::find(use->signers, contact.id, &UseSigner::contact_id);
  if (signer == use->signers.end()) return fail(Errc::refused, "this contact was not asked");
  const auto at = static_cast<std::size_t>(signer - use->signers.begin());
  return Answered{std::move(*use), at, std::move(contact)};
}

/// Of the holder's own keys, and right; one for each entry.
Result<void> check_signatures(const SuperUse& use, const UseSigner& signer,
                              const std::vector<SuperSigned>& signatures) {
  if (signatures.size() != use.entries.size()) {
    return fail(Errc::malformed, "a signature for each entry is needed");
  }
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    const SuperSigned& one = signatures[i];
    if (one.entry != use.entries[i].hash) return fail(Errc::malformed, "of another entry");
    if (one.k != signer.keys[i]) return fail(Errc::refused, "by a key that is not this holder's");
    auto entry = ledger::parse_entry(use.entries[i].blob);
    CHECK(ledger::attach_signature(*entry, {one.k, one.s}));
  }
  return {};
}

std::string use_words(Host& host, const SuperUse& use) {
  const auto count = std::ranges::count(use.signers, SignerStep::signed_it, &UseSigner::step);
  switch (use.step) {
    case UseStep::gathering:
      return std::to_string(count) + " of " + std::to_string(use.threshold) +
             " have signed. Call those who hold your last resort, and read the code to them: they "
             "find your request with `kith trustee requests`.";
    case UseStep::posted: {
      const auto view = ledger::stored_view(host, use.entries.front().subject);
      if (view.has_value() && view->pending) {
        return "Posted. It counts from " + ledger::utc_text(view->pending->record.effective_from) +
               " on, unless whoever has your passphrase objects until then.";
      }
      return "Posted. It counts when the waiting time of your logs is over.";
    }
    case UseStep::done:
      return "You have your identity back. Choose a new last resort: kith recovery super-setup";
    case UseStep::over:
      return "Over: " + use.problem + ".";
  }
  return "";
}

}  // namespace

Result<JsonObject> start_super(Host& host, const Command& command) {
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  if (protocol::vault_lock(host)) CHECK(protocol::open_vault(host, command.step_up));
  if (const auto old = super_use(host)) {
    if (old->step == UseStep::gathering || old->step == UseStep::posted) return describe_use(host);
  }
  SuperUse use;
  TRY(const auto text, crypto::json_optional_string(command.args, "text"));
  use.text = text.value_or("");
  CHECK(check_super_text(use.text));
  std::vector<Captured> logs;
  for (const std::string_view log : kSuperLogs) {
    TRY(Captured one, captured_log(host, log, log == kDidLog ? own.did : own.policy));
    logs.push_back(std::move(one));
  }
  if (std::ranges::none_of(logs, &Captured::captured)) {
    return fail(Errc::wrong_state,
                "there is nothing to take back: the newest entries of your logs are your own");
  }
  TRY(const SuperSet set, set_for(host, logs));
  for (const Captured& log : logs) {
    TRY(const ledger::Entry entry, make_entry(host, log, *set.opening_of(log.log)));
    CHECK(check_entry(host, log, entry));
    use.entries.push_back({entry.id, ledger::entry_blob(entry), ledger::entry_hash(entry)});
  }
  use.id = crypto::hex(host.random().bytes(8));
  use.threshold = set.threshold;
  use.signers = signers_of(set, logs);
  use.begun = host.now();
  use.expires = host.now() + Duration(super_limits::kRequestLife);
  host.audit("super.begun");
  advance_use(host, std::move(use));
  return describe_use(host);
}

Result<JsonObject> stop_super(Host& host) {
  auto use = super_use(host);
  if (!use || use->step != UseStep::gathering) {
    return fail(Errc::wrong_state, use && use->step == UseStep::posted
                                       ? "it is posted already"
                                       : "nobody is being asked for signatures");
  }
  end_use(host, *use, "you took it back");
  save_use(host, *use);
  return describe_use(host);
}

JsonObject describe_use(Host& host) {
  const auto use = super_use(host);
  if (!use) return {{"state", "none"}};
  JsonArray holders;
  for (const UseSigner& signer : use->signers) {
    const auto contact = protocol::find_contact(host, signer.contact_id);
    JsonObject row{{"contact", contact ? contact->name : signer.contact_id}};
    row["state"] = signer.step == SignerStep::asked       ? "asked"
                   : signer.step == SignerStep::signed_it ? "signed"
                                                          : "declined";
    if (!signer.reason.empty()) row["reason"] = signer.reason;
    holders.push_back(std::move(row));
  }
  std::vector<std::string> hashes;
  for (const UseEntry& entry : use->entries) hashes.push_back(entry.hash);
  JsonObject reply{{"state", step_name(use->step)},
                   {"id", use->id},
                   {"holders", std::move(holders)},
                   {"words", use_words(host, *use)}};
  if (use->step == UseStep::gathering) {
    reply["code"] = super_code(hashes);
    reply["expires"] = protocol::utc_text(use->expires);
  }
  if (!use->problem.empty()) reply["problem"] = use->problem;
  return reply;
}

Result<void> on_super_signature(Host& host, const Inbound& inbound) {
  TRY(auto body, protocol::decode_body<SuperSignature>(inbound.message.body));
  TRY(Answered at, answered(host, inbound, body.request_id));
  UseSigner& signer = at.use.signers[at.signer];
  if (at.use.step != UseStep::gathering || signer.step == SignerStep::signed_it) return {};
  CHECK(check_signatures(at.use, signer, body.signatures));
  signer.step = SignerStep::signed_it;
  signer.reason.clear();
  signer.signatures = std::move(body.signatures);
  host.audit("super.signature", {{"contact", at.contact.id}});
  advance_use(host, std::move(at.use));
  return {};
}

Result<void> on_super_decline(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<SuperDecline>(inbound.message.body));
  CHECK(check_super_text(body.reason));
  TRY(Answered at, answered(host, inbound, body.request_id));
  UseSigner& signer = at.use.signers[at.signer];
  if (signer.step != SignerStep::asked) return {};
  signer.step = SignerStep::declined;
  signer.reason = body.reason;
  host.notify(
      {"recovery", at.contact.name + " declined to sign for your last resort.", at.contact.id, {}});
  save_use(host, at.use);
  return {};
}

void super_request_refused(Host& host, const Inbound& inbound, const std::string& why) {
  const auto contact = protocol::sender_of(host, inbound);
  auto use = super_use(host);
  if (!contact.has_value() || !use || use->step != UseStep::gathering) return;
  const auto signer = std::ranges::find(use->signers, contact->id, &UseSigner::contact_id);
  if (signer == use->signers.end() || signer->step != SignerStep::asked) return;
  signer->reason = why;  // Asked again all the same: what stands in the way may pass.
  save_use(host, *use);
}

void super_use_looks(Host& host) {
  auto use = super_use(host);
  if (use) advance_use(host, std::move(*use));
}

}  // namespace kith::recovery
