#include <algorithm>

#include "crypto/hash.hpp"
#include "protocol/freeze.hpp"
#include "protocol/messenger.hpp"
#include "recovery/session_steps.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kAnswers = "session-answer";
constexpr Duration kNever = std::chrono::hours{24 * 366 * 10};

/// What was answered to one request: sent again to repeats. By "<session>-<digest of points>".
struct StoredAnswers {
  std::vector<PartialReply> replies;
  template <class V>
  void visit(V& v) {
    v("replies", replies);
  }
};

Digest points_digest(const PartialRequest& request) {
  return crypto::digest(label("points"), {request.session_id, protocol::encode_record(request)});
}

std::string answers_name(const Session& session, const Digest& points) {
  return session_name(session) + "-" + crypto::hex(points);
}

/// Until `version` may be answered; kNever while the veto stands against it.
Duration time_left(const Session& session, const Trusteeship& trusteeship,
                   const HeldVersion& version, Duration uptime) {
  const Terms terms = terms_in_force(trusteeship, version);
  Duration left = waiting_period(terms);
  if (session.approved) left = remaining(session.clock, uptime, left);
  if (!session.vetoed) return left;
  if (!terms.override_allowed) return kNever;
  return std::max(left, remaining(session.veto_clock, uptime, override_period(terms)));
}

/// May answers leave at all, once the time is over?
bool may_release(const Session& session) {
  if (!session.approved) return false;
  if (session.vetoed && !session.reconfirmed) return false;
  return session.state == SessionState::waiting || session.state == SessionState::confirmed ||
         session.state == SessionState::released;
}

bool was_released(const Session& session, const LeafRecord& record, const Digest& points) {
  return std::ranges::any_of(session.released, [&](const ReleasedVersion& done) {
    return done.record_id == record.record_id && done.version == record.version &&
           done.points == points;
  });
}

struct SigningPair {
  PublicKey public_key;
  SealedKey sealed;
};
/// Our key of the relationship with the owner.
Result<SigningPair> relationship_key(Host& host, const std::string& contact_id) {
  const auto contact = protocol::find_contact(host, contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that contact is gone");
  TRY(const Did mine, Did::parse(contact->my_did));
  protocol::KnownDids known(host);
  protocol::OwnSecrets secrets(host);
  TRY(const DidDocument document, known.resolve(mine));
  for (const NamedKey& key : document.authentication_keys()) {
    if (auto sealed = secrets.find(key.kid)) return SigningPair{key.key, std::move(*sealed)};
  }
  return fail(Errc::not_found, "no key of ours for that contact");
}

/// Answers of the versions that are due and were not given for these points yet. Counts releases.
std::vector<LeafAnswer> new_answers(Host& host, Session& session, Trusteeship& trusteeship,
                                    const PartialQuestion& question, const Digest& points) {
  std::vector<LeafAnswer> answers;
  for (HeldVersion& held : trusteeship.versions) {
    if (answers.size() >= kAnswersPerReplyMax) break;
    if (time_left(session, trusteeship, held, host.uptime()) > Duration{0}) continue;
    if (was_released(session, held.record, points)) continue;
    if (held.releases >= limits::kReleasesMax) continue;
    const auto leaf = held_leaf(host, session.contact_id, held);
    if (!leaf.has_value()) continue;
    auto answer = make_answer(*leaf, held.head, question, session.key, host.keys());
    if (!answer.has_value()) continue;
    ++held.releases;
    session.released.push_back({held.record.record_id, held.record.version, points});
    answers.push_back(std::move(*answer));
  }
  return answers;
}

Result<bool> answer_request(Host& host, Session& session, Trusteeship& trusteeship,
                            const PartialRequest& request) {
  const Digest points = points_digest(request);
  TRY(const PartialQuestion question, read_question(request.session_id, request.points));
  const auto answers = new_answers(host, session, trusteeship, question, points);
  if (answers.empty()) return false;
  TRY(const SigningPair signer, relationship_key(host, session.contact_id));
  PartialReply reply;
  reply.session_id = crypto::to_bytes(session.id);
  TRY(reply.box, seal_answers(answers, session.id, session.key, host.keys()));
  TRY(reply.signature,
      host.keys().sign(signer.sealed, answers_statement(session.id, session.key, reply.box)));
  reply.signer = signer.public_key;

  const std::string name = answers_name(session, points);
  auto stored = load<StoredAnswers>(host, kAnswers, name).value_or(StoredAnswers{});
  stored.replies.push_back(reply);
  save(host, kAnswers, name, stored);
  push_to_device(host, session, PartialReply::kName, protocol::encode_body(reply));
  host.audit("trustee.released", {{"session", session_name(session)},
                                  {"versions", static_cast<std::int64_t>(answers.size())}});
  return true;
}

}  // namespace

Duration time_to_release(Host& host, const Session& session) {
  const auto trusteeship = find_trusteeship(host, session.contact_id);
  Duration least = kNever;
  if (!trusteeship) return least;
  for (const HeldVersion& held : trusteeship->versions) {
    least = std::min(least, time_left(session, *trusteeship, held, host.uptime()));
  }
  return least;
}

bool override_possible(Host& host, const Session& session) {
  const auto trusteeship = find_trusteeship(host, session.contact_id);
  return trusteeship && std::ranges::any_of(trusteeship->versions, [&](const HeldVersion& held) {
           return terms_in_force(*trusteeship, held).override_allowed;
         });
}

Duration longest_period(Host& host, const Session& session) {
  const auto trusteeship = find_trusteeship(host, session.contact_id);
  Duration longest{0};
  if (!trusteeship) return longest;
  for (const HeldVersion& held : trusteeship->versions) {
    const Terms terms = terms_in_force(*trusteeship, held);
    longest = std::max({longest, waiting_period(terms), override_period(terms)});
  }
  return longest;
}

Result<bool> release_due(Host& host, Session& session) {
  if (!may_release(session)) return false;
  if (protocol::stopped(host, protocol::Operation::use_share)) return false;  // Until the thaw.
  auto trusteeship = find_trusteeship(host, session.contact_id);
  if (!trusteeship) return false;
  bool released = false;
  for (const PartialRequest& request : session.requests) {
    TRY(const bool left, answer_request(host, session, *trusteeship, request));
    released = released || left;
  }
  if (!released) return false;
  save_trusteeship(host, *trusteeship);
  CHECK(step(host, session, SessionEvent::due));
  return true;
}

bool repeat_answers(Host& host, const Session& session, const PartialRequest& request) {
  if (!may_release(session)) return false;
  if (protocol::stopped(host, protocol::Operation::use_share)) return false;
  const auto stored =
      load<StoredAnswers>(host, kAnswers, answers_name(session, points_digest(request)));
  if (!stored) return false;
  for (const PartialReply& reply : stored->replies) {
    push_to_device(host, session, PartialReply::kName, protocol::encode_body(reply));
  }
  return true;
}

void forget_answers(Host& host, const Session& session) {
  for (const PartialRequest& request : session.requests) {
    host.erase({std::string(kAnswers), answers_name(session, points_digest(request))});
  }
}

}  // namespace kith::recovery
