#include "ledger/etcd/job.hpp"

#include <utility>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"

namespace kith::ledger {

namespace {

std::string login_body(const EtcdLogin& login) {
  JsonObject object;
  object["name"] = login.name;
  object["password"] = crypto::as_text(login.password.expose());
  return crypto::json_text(object);
}

bool is_ok(const Result<HttpReply>& reply) {
  return reply.has_value() && reply->status == 200;
}

Result<Json> json_of(const HttpReply& reply) {
  if (reply.body.size() > limits::kJsonBytesMax) {
    return fail(Errc::limit_exceeded, "the ledger's answer is too long");
  }
  return parse_answer(reply.body);
}

std::string count_of(std::size_t some, std::size_t all) {
  return std::to_string(some) + " of " + std::to_string(all) +
         (all == 1    ? " server answers"
          : some == 1 ? " servers answers"
                      : " servers answer");
}

}  // namespace

bool EtcdJob::must_log_in() const {
  return session_.login && session_.token.empty() && !session_.no_logins;
}

std::chrono::milliseconds EtcdJob::patience() const {
  const auto servers = static_cast<unsigned>(session_.address.servers.size());
  const unsigned round = tries_ / servers;
  return etcd_limits::kPatience * (round < 2 ? 1U : 1U << (round - 1));
}

std::optional<JobQuestion> EtcdJob::next() {
  if (stage_ == Stage::ended) return std::nullopt;
  if (stage_ == Stage::calling && must_log_in()) stage_ = Stage::logging_in;
  if (++questions_ > etcd_limits::kQuestionsPerJob) {
    fail_with(fail(Errc::limit_exceeded, "the ledger holds too much that belongs to no log"));
    return std::nullopt;
  }
  JobQuestion question;
  question.wait = std::exchange(wait_, std::chrono::milliseconds{0});
  question.http.method = "POST";
  question.http.target = session_.address.base_url(server_);
  if (stage_ == Stage::logging_in) {
    question.http.target += "/v3/auth/authenticate";
    question.http.body = login_body(*session_.login);
    question.patience = etcd_limits::kLoginPatience;
    return question;
  }
  if (stage_ == Stage::examining) {
    question.http.target = session_.address.base_url(examined_) + "/v3/maintenance/status";
    question.http.body = "{}";
    question.patience = 2 * etcd_limits::kPatience;
    return question;
  }
  const Call asked = call();
  unsure_ = asked.writes;
  question.http.target += asked.path;
  question.http.body = asked.body;
  question.authorization = session_.token;
  question.patience = patience();
  return question;
}

void EtcdJob::take(const Result<HttpReply>& reply) {
  switch (stage_) {
    case Stage::calling:
      return take_call(reply);
    case Stage::logging_in:
      return take_login(reply);
    case Stage::examining:
      return take_examination(reply);
    case Stage::ended:
      ASSERT(false);  // Nobody asked.
  }
}

void EtcdJob::take_call(const Result<HttpReply>& reply) {
  const bool wrote = std::exchange(unsure_, false);
  if (reply.has_value() && reply->status != 200) {
    const EtcdRefusal refusal = read_refusal(reply->status, reply->body);
    if (wrote && refusal == EtcdRefusal::try_elsewhere) on_unknown();
    return take_refusal(refusal);
  }
  auto answer = reply.has_value() ? json_of(*reply) : Result<Json>(reply.error());
  if (!answer.has_value()) {
    if (wrote) {
      on_unknown();
    } else if (answer.error() == Errc::limit_exceeded) {
      if (!ask_less()) fail_with(answer.error());
      return;
    }
    const Errc code = answer.error().code;
    const bool elsewhere = wrote || code == Errc::unreachable || code == Errc::timeout;
    return elsewhere ? try_next(answer.error()) : fail_with(answer.error());
  }
  session_.server = server_;
  const auto taken = on_answer(*answer);
  if (taken.has_value()) return;
  if (!wrote) return fail_with(taken.error());
  on_unknown();
  try_next(taken.error());
}

void EtcdJob::take_login(const Result<HttpReply>& reply) {
  if (!reply.has_value()) {
    const Errc code = reply.error().code;
    const bool elsewhere = code == Errc::unreachable || code == Errc::timeout;
    return elsewhere ? try_next(reply.error()) : fail_with(reply.error());
  }
  if (!is_ok(reply)) return take_refusal(read_refusal(reply->status, reply->body));
  const auto answer = json_of(*reply);
  auto token = answer.has_value() ? read_token(*answer) : Result<std::string>(answer.error());
  if (!token.has_value()) return fail_with(token.error());
  session_.token = std::move(*token);
  ++logins_;
  stage_ = Stage::calling;
}

void EtcdJob::take_refusal(EtcdRefusal refusal) {
  switch (refusal) {
    case EtcdRefusal::try_elsewhere:
      return try_next(fail(Errc::timeout, "a server of the ledger could not do it"));
    case EtcdRefusal::login_needed:
      if (!session_.login) return fail_with(fail(Errc::ledger_login_needed));
      return log_in_again();
    case EtcdRefusal::token_expired:
      return log_in_again();
    case EtcdRefusal::login_wrong:
      return fail_with(fail(Errc::ledger_login_wrong));
    case EtcdRefusal::no_logins_here:
      session_.no_logins = true;
      stage_ = Stage::calling;
      return;
    case EtcdRefusal::not_allowed:
      return fail_with(fail(Errc::refused, "this name may not use that part of the ledger"));
    case EtcdRefusal::no_gateway:
      return fail_with(fail(Errc::unsupported, "no etcd v3 answers at the ledger's address"));
    case EtcdRefusal::bad_question:
      return fail_with(fail(Errc::refused, "the ledger's server does not take the question"));
  }
}

/// Tokens run out, and the operator may have switched authentication on.
void EtcdJob::log_in_again() {
  session_.token.clear();
  session_.no_logins = false;
  stage_ = Stage::calling;
  if (!session_.login) return fail_with(fail(Errc::ledger_login_needed));
  if (logins_ >= etcd_limits::kLoginsPerJob) {
    fail_with(fail(Errc::ledger_login_wrong, "the ledger does not accept the token it gave"));
  }
}

void EtcdJob::try_next(const Error& why) {
  last_ = why;
  if (stage_ == Stage::logging_in) stage_ = Stage::calling;
  const std::size_t servers = session_.address.servers.size();
  server_ = (server_ + 1) % servers;
  if (++tries_ % servers != 0) return;
  const auto round = static_cast<unsigned>(tries_ / servers);
  if (round < etcd_limits::kRounds) {
    wait_ = etcd_limits::kPause * (1U << (round - 1));
  } else {
    stage_ = Stage::examining;
  }
}

void EtcdJob::take_examination(const Result<HttpReply>& reply) {
  if (is_ok(reply)) {
    const auto answer = json_of(*reply);
    const auto leader = answer.has_value() ? read_has_leader(*answer) : Result<bool>(false);
    ++alive_;
    has_leader_ = has_leader_ || (leader.has_value() && *leader);
  }
  if (++examined_ == session_.address.servers.size()) finish_examination();
}

void EtcdJob::finish_examination() {
  const std::size_t all = session_.address.servers.size();
  if (alive_ == 0) {
    // The last try's own words tell of names that do not resolve and certificates that do not hold.
    const std::string why = last_ && !last_->detail.empty() ? ": " + last_->detail : "";
    return fail_with(fail(Errc::unreachable, "no server of the ledger answers" + why));
  }
  if (alive_ < all / 2 + 1) return fail_with(fail(Errc::ledger_no_quorum, count_of(alive_, all)));
  if (!has_leader_) return fail_with(fail(Errc::ledger_no_leader, count_of(alive_, all)));
  fail_with(fail(Errc::timeout, "the ledger's servers are too slow"));
}

void EtcdJob::fail_with(const Error& error) {
  end();
  on_failure(error);
}

}  // namespace kith::ledger
