#include "ledger/remote/cosigning.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/add_checkpoint.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/strict_json.hpp"
#include "ledger/witness_limits.hpp"

namespace kith::ledger {
namespace {

constexpr unsigned kDoublingsMax = 16;

std::chrono::milliseconds retry_pause(unsigned failures) {
  if (failures == 0) return std::chrono::milliseconds{0};
  const std::chrono::milliseconds pause =
      witness_limits::kRetryFirst * (1 << std::min(failures - 1, kDoublingsMax));
  return std::min<std::chrono::milliseconds>(pause, witness_limits::kRetryMax);
}

/// What `witness` signed in `lines`, for the checkpoint `text`.
struct GoodCosignature {
  NoteSignature line;
  AnchorTime time;
};
Result<GoodCosignature> cosignature_in(std::string_view lines, const SignedNote& note,
                                       const LedgerDescriptor& ledger, const PublicKey& witness) {
  TRY(const std::vector<NoteSignature> signatures, parse_signature_lines(lines));
  LedgerDescriptor of_this_one = ledger;
  of_this_one.witnesses = {witness};
  of_this_one.w = 1;
  for (const NoteSignature& line : signatures) {
    SignedNote with = note;
    with.signatures.push_back(line);
    TRY(const TrustedCheckpoint trusted, open_checkpoint(note_text(with), of_this_one));
    if (trusted.cosignatures.empty()) continue;  // Another key of the witness.
    return GoodCosignature{line, AnchorTime{trusted.cosignatures.front().time.time_since_epoch()}};
  }
  return fail(Errc::bad_signature, "it did not sign with its key");
}

std::string refusal_of_witness(int status) {
  if (status == 404) {
    return "it does not watch this ledger: its operator adds the ledger's descriptor with `kith "
           "ledger witness --add FILE`";
  }
  if (status == 403) return "it knows this ledger by another key";
  if (status == 422) return "it says that this ledger does not continue what it signed";
  return "it answered " + std::to_string(status);
}

}  // namespace

Result<WitnessAddress> parse_witness_address(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return fail(Errc::malformed, "a witness is named by its verifier key, a space and its address");
  }
  TRY(VerifierKey key, parse_verifier_key(text.substr(0, space)));
  if (key.type != NoteSignatureType::cosignature) {
    return fail(Errc::unsupported, "that is the key of a ledger, not of a witness");
  }
  std::string_view url = text.substr(space + 1);
  CHECK(plain_text(url, "witness address", limits::kHttpUrlCharsMax));
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return fail(Errc::bad_url, "a witness has an http or https address");
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  return WitnessAddress{std::move(key.key), std::string(url)};
}

JsonObject witness_addresses_json(const std::vector<WitnessAddress>& witnesses) {
  JsonArray list;
  for (const WitnessAddress& witness : witnesses) {
    list.push_back(JsonObject{{"k", crypto::multikey(witness.key)}, {"url", witness.url}});
  }
  return JsonObject{{"witnesses", std::move(list)}};
}

Result<std::vector<WitnessAddress>> parse_witness_addresses(std::string_view text) {
  TRY(const Json json, crypto::parse_json(text, {kAddressesBytesMax, 3, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "addresses of witnesses"));
  CHECK(only_members(*object, {"witnesses"}, "addresses of witnesses"));
  TRY(const JsonArray* list, crypto::json_array(*object, "witnesses"));
  if (list->size() > limits::kLedgerWitnessesMax) {
    return fail(Errc::limit_exceeded, "more than a ledger has witnesses");
  }
  std::vector<WitnessAddress> witnesses;
  for (const Json& item : *list) {
    TRY(const JsonObject* one, crypto::as_object(item, "address of a witness"));
    CHECK(only_members(*one, {"k", "url"}, "address of a witness"));
    WitnessAddress address;
    TRY(const std::string key, crypto::json_string(*one, "k"));
    TRY(address.key, signing_key(key));
    TRY(address.url, crypto::json_string(*one, "url"));
    CHECK(plain_text(address.url, "witness address", limits::kHttpUrlCharsMax));
    const bool is_http = address.url.starts_with("http://") || address.url.starts_with("https://");
    if (!is_http || address.url.find_first_of("?#") != std::string::npos) {
      return fail(Errc::bad_url, "a witness has an http or https address");
    }
    while (address.url.ends_with('/')) address.url.pop_back();
    witnesses.push_back(std::move(address));
  }
  return witnesses;
}

std::uint32_t usual_quorum(std::size_t count) {
  return static_cast<std::uint32_t>(count / 2 + 1);
}

Cosigning::Cosigning(TreeLedger& ledger, LedgerProver::Sign sign,
                     std::vector<WitnessAddress> witnesses)
    : ledger_(ledger), prover_(ledger, std::move(sign)) {
  ASSERT(ledger.descriptor().w > 0);
  for (WitnessAddress& address : witnesses) {
    Witness witness;
    witness.address = std::move(address);
    witnesses_.push_back(std::move(witness));
  }
}

bool Cosigning::anybody_busy() const {
  return std::ranges::any_of(witnesses_, &Witness::busy);
}

bool Cosigning::round_is_over() const {
  return !round_ || round_->collected.size() >= ledger_.descriptor().w;
}

Result<std::optional<AnchorTime>> Cosigning::newest_time() const {
  TRY(const auto newest, ledger_.newest_cosigned());
  if (!newest) return std::optional<AnchorTime>();
  TRY(const TrustedCheckpoint trusted, open_checkpoint(newest->note, ledger_.descriptor()));
  const auto time = witnessed_at(trusted, ledger_.descriptor());
  if (!time) return fail(Errc::storage_corrupt, "a kept checkpoint lacks its witnesses");
  return std::optional<AnchorTime>(AnchorTime{time->time_since_epoch()});
}

Result<bool> Cosigning::is_needed(AnchorTime now) const {
  TRY(const auto newest, ledger_.newest_cosigned());
  if (!newest || newest->size < ledger_.size()) return true;
  TRY(const auto time, newest_time());
  return *time + witness_limits::kRefreshAfter <= now;
}

Result<void> Cosigning::begin_round() {
  Round round;
  round.size = ledger_.size();
  TRY(const std::string note, prover_.signed_by_ledger(round.size));
  TRY(round.note, parse_note(note));
  round_ = std::move(round);
  TRY(const auto newest, ledger_.newest_cosigned());
  for (Witness& witness : witnesses_) {
    // The likeliest; a witness that knows better says so.
    if (witness.size == 0 && newest) witness.size = newest->size;
    witness.conflicts = 0;
  }
  return {};
}

AnchorTime Cosigning::next_try(const Witness& witness, bool urgent) const {
  if (witness.at_once) return witness.tried;
  std::chrono::milliseconds pause = retry_pause(witness.failures);
  if (urgent) pause = std::min(pause, witness_limits::kRetryUrgentMax);
  return witness.tried + pause;
}

bool Cosigning::may_be_asked(std::size_t index, AnchorTime now, bool urgent) const {
  const Witness& witness = witnesses_[index];
  if (witness.busy || round_->collected.contains(index)) return false;
  if (witness.size > round_->size) return false;  // The next round is for it.
  // A clock that was put back must not silence anybody.
  return next_try(witness, urgent) <= now || witness.tried > now;
}

Result<std::vector<Cosigning::Question>> Cosigning::ask(AnchorTime now, bool urgent) {
  std::vector<Question> questions;
  TRY(const bool needed, is_needed(now));
  const bool outgrown = round_ && round_->size < ledger_.size() && !anybody_busy();
  if (needed && (round_is_over() || outgrown)) CHECK(begin_round());
  if (!round_) return questions;
  // Those who are missing from a round that is over are asked, too: readers may know them alone.
  for (std::size_t i = 0; i < witnesses_.size(); ++i) {
    if (!may_be_asked(i, now, urgent)) continue;
    TRY(Question question, question_for(i, now));
    questions.push_back(std::move(question));
  }
  return questions;
}

Result<Cosigning::Question> Cosigning::question_for(std::size_t index, AnchorTime now) {
  Witness& witness = witnesses_[index];
  AddCheckpoint request;
  request.old_size = witness.size;
  TRY(request.consistency, prover_.consistency(witness.size, round_->size));
  request.checkpoint = note_text(round_->note);
  witness.busy = true;
  witness.at_once = false;
  witness.tried = now;
  witness.asked = round_->note.text;
  witness.asked_size = round_->size;
  return Question{index,
                  {"POST", witness.address.url + std::string(kAddCheckpointPath),
                   add_checkpoint_text(request)}};
}

void Cosigning::fail_for_now(Witness& witness, std::string why) {
  ++witness.failures;
  witness.conflicts = 0;
  witness.error = std::move(why);
}

Result<void> Cosigning::take(std::size_t index, const Result<HttpReply>& reply, AnchorTime now) {
  Witness& witness = witnesses_.at(index);
  witness.busy = false;
  if (!reply.has_value()) {
    std::string why(crypto::error_text(reply.error().code).sentence);
    if (!reply.error().detail.empty()) why += " (" + reply.error().detail + ")";
    fail_for_now(witness, std::move(why));
    return {};
  }
  if (reply->status == 200) return take_signatures(index, reply->body, now);
  if (reply->status == 409) {
    take_size(witness, *reply);
  } else {
    fail_for_now(witness, refusal_of_witness(reply->status));
  }
  return {};
}

void Cosigning::take_size(Witness& witness, const HttpReply& reply) {
  const auto size = parse_size_text(reply.body);
  if (!size.has_value()) return fail_for_now(witness, "it did not say which size it has");
  if (*size > ledger_.size()) {
    return fail_for_now(witness, "it has seen " + std::to_string(*size) +
                                     " entries, and this ledger has " +
                                     std::to_string(ledger_.size()) +
                                     ": an old copy was put back, or entries were lost");
  }
  if (*size == witness.size && *size == witness.asked_size) {
    return fail_for_now(witness, "it has signed another history of " + std::to_string(*size) +
                                     " entries under this ledger's key");
  }
  if (++witness.conflicts > witness_limits::kConflictsMax) {
    return fail_for_now(witness, "it names another size again and again");
  }
  witness.size = *size;
  witness.at_once = true;
}

Result<void> Cosigning::take_signatures(std::size_t index, std::string_view lines, AnchorTime now) {
  Witness& witness = witnesses_[index];
  const LedgerDescriptor& ledger = ledger_.descriptor();
  const bool of_this_round = round_ && round_->note.text == witness.asked;
  SignedNote note;
  if (of_this_round) {
    note = round_->note;
  } else {
    TRY(const std::string signed_note, prover_.signed_by_ledger(witness.asked_size));
    TRY(note, parse_note(signed_note));
  }
  auto good = cosignature_in(lines, note, ledger, witness.address.key);
  if (!good.has_value()) {
    fail_for_now(witness, "its signature is not good");
    return {};
  }
  witness.size = std::max(witness.size, witness.asked_size);
  if (good->time > now + witness_limits::kFutureMax) {
    fail_for_now(witness, "its clock is ahead: it signed for " + utc_text(good->time));
    return {};
  }
  // It was made for this question, so it is young; and anchor times never run back.
  TRY(const auto floor, newest_time());
  if ((floor && good->time < *floor) || good->time + witness_limits::kFutureMax < now) {
    fail_for_now(witness, "its clock is behind: it signed for " + utc_text(good->time));
    return {};
  }
  witness.failures = 0;
  witness.conflicts = 0;
  witness.at_once = true;
  witness.error.clear();
  witness.signed_at = good->time;
  if (of_this_round) return collect(index, std::move(good->line));
  return add_late(witness, std::move(good->line));
}

Result<void> Cosigning::collect(std::size_t index, NoteSignature signature) {
  round_->collected.insert_or_assign(index, std::move(signature));
  if (!round_is_over()) return {};
  SignedNote note = round_->note;
  for (const auto& [who, line] : round_->collected) note.signatures.push_back(line);
  return ledger_.keep_cosigned({round_->size, note_text(note)});
}

/// To the checkpoint that is kept, if the witness signed that very one.
Result<void> Cosigning::add_late(const Witness& witness, NoteSignature signature) {
  TRY(const auto newest, ledger_.newest_cosigned());
  if (!newest) return {};
  TRY(SignedNote note, parse_note(newest->note));
  const bool has_it = std::ranges::find(note.signatures, signature.key_id,
                                        &NoteSignature::key_id) != note.signatures.end();
  if (note.text != witness.asked || has_it) return {};
  note.signatures.push_back(std::move(signature));
  return ledger_.keep_cosigned({newest->size, note_text(note)});
}

Result<std::optional<AnchorTime>> Cosigning::next(AnchorTime now, bool urgent) const {
  TRY(const bool needed, is_needed(now));
  if (needed && round_is_over()) return std::optional<AnchorTime>(now);
  std::optional<AnchorTime> first;
  if (!needed) {
    TRY(const auto newest, newest_time());
    first = *newest + witness_limits::kRefreshAfter;
  }
  if (!round_) return first;
  const bool outgrown = round_->size < ledger_.size() && !anybody_busy();
  for (std::size_t i = 0; i < witnesses_.size(); ++i) {
    const Witness& witness = witnesses_[i];
    const bool has_signed = round_->collected.contains(i) || witness.size > round_->size;
    if (witness.busy || (has_signed && !outgrown)) continue;
    const AnchorTime at = next_try(witness, urgent);
    first = first ? std::min(*first, at) : at;
  }
  return first;
}

Result<JsonObject> Cosigning::report() const {
  JsonObject report;
  report["needed"] = std::int64_t{ledger_.descriptor().w};
  report["size"] = static_cast<std::int64_t>(ledger_.size());
  TRY(const auto newest, ledger_.newest_cosigned());
  if (newest) {
    TRY(const auto time, newest_time());
    report["witnessed"] =
        JsonObject{{"size", static_cast<std::int64_t>(newest->size)}, {"time", utc_text(*time)}};
  }
  JsonArray witnesses;
  for (const Witness& witness : witnesses_) {
    JsonObject line;
    line["key"] = crypto::multikey(witness.address.key);
    line["url"] = witness.address.url;
    if (witness.signed_at) {
      line["signed"] = JsonObject{{"size", static_cast<std::int64_t>(witness.size)},
                                  {"time", utc_text(*witness.signed_at)}};
    }
    if (!witness.error.empty()) line["error"] = witness.error;
    witnesses.emplace_back(std::move(line));
  }
  report["witnesses"] = std::move(witnesses);
  return report;
}

}  // namespace kith::ledger
