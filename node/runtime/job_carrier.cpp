#include "node/runtime/job_carrier.hpp"

#include <boost/asio/steady_timer.hpp>
#include <string>
#include <utility>

namespace kith::node {
namespace {

/// Lives as long as a callback of its own is waited for.
class JobCarrier : public std::enable_shared_from_this<JobCarrier> {
 public:
  JobCarrier(boost::asio::io_context& io, HttpClient& client, ledger::RemoteJob& job,
             std::shared_ptr<void> kept, std::function<void()> done)
      : client_(client), timer_(io), job_(job), kept_(std::move(kept)), done_(std::move(done)) {}

  void go_on() {
    auto question = job_.next();
    if (!question) return done_();
    if (question->wait.count() == 0) return send(*question);
    timer_.expires_after(question->wait);
    timer_.async_wait([self = shared_from_this(),
                       asked = std::move(*question)](const boost::system::error_code& error) {
      if (!error) self->send(asked);
    });
  }

 private:
  void send(const ledger::JobQuestion& question) {
    client_.request(call_of(question), [self = shared_from_this()](Result<HttpReply> reply) {
      self->job_.take(reply_of(std::move(reply)));
      self->go_on();
    });
  }

  HttpClient& client_;
  boost::asio::steady_timer timer_;
  ledger::RemoteJob& job_;
  std::shared_ptr<void> kept_;
  std::function<void()> done_;
};

}  // namespace

void carry_job(boost::asio::io_context& io, HttpClient& client, ledger::RemoteJob& job,
               std::shared_ptr<void> kept, std::function<void()> done) {
  std::make_shared<JobCarrier>(io, client, job, std::move(kept), std::move(done))->go_on();
}

void carry_task(boost::asio::io_context& io, HttpClient& client, std::shared_ptr<void> session,
                std::unique_ptr<ledger::LedgerTask> task, OnEffectResult submit) {
  struct Kept {
    std::shared_ptr<void> session;
    std::unique_ptr<ledger::LedgerTask> task;  // Goes first.
  };
  const auto kept = std::make_shared<Kept>(Kept{std::move(session), std::move(task)});
  ledger::LedgerTask& carried = *kept->task;
  carry_job(io, client, carried.job(), kept,
            [&carried, submit = std::move(submit)] { submit(carried.result()); });
}

HttpCall call_of(const ledger::JobQuestion& question) {
  HttpCall call;
  call.method = question.http.method;
  call.url = question.http.target;
  call.content_type = "application/json";
  call.body = crypto::to_bytes(std::string_view(question.http.body));
  call.authorization = question.authorization;
  call.follow_redirects = false;
  call.answer_bytes = question.answer_bytes;
  call.timeout = question.patience;
  return call;
}

Result<ledger::HttpReply> reply_of(Result<HttpReply> reply) {
  TRY(const HttpReply got, std::move(reply));
  return ledger::HttpReply{static_cast<int>(got.status), got.content_type,
                           std::string(crypto::as_text(got.body))};
}

}  // namespace kith::node
