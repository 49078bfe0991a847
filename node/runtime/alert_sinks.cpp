#include "node/runtime/alert_sinks.hpp"

#include <utility>

namespace kith::node {
namespace {

ClientOptions to_this_machine() {
  ClientOptions options;
  options.policy.allow_private = true;  // check_alert_options lets loopback through alone.
  return options;
}

/// Empty: it was taken.
std::string problem_in(const Result<HttpReply>& reply) {
  if (!reply.has_value()) return std::string(crypto::error_text(reply.error().code).sentence);
  if (reply->status >= 200 && reply->status < 300) return {};
  return "it answered " + std::to_string(reply->status);
}

bool may_pass(const Result<HttpReply>& reply) {
  return !reply.has_value() || reply->status >= 500;
}

}  // namespace

AlertWebhook::AlertWebhook(boost::asio::io_context& io, std::string url)
    : url_(std::move(url)), timer_(io), client_(io, to_this_machine()) {}

void AlertWebhook::post(std::string body, AlertDone done) {
  if (tasks_.size() >= watch_limits::kAlertsWaitingMax) return done("too many wait already");
  tasks_.push_back({std::move(body), std::move(done)});
  if (tasks_.size() == 1) send_first();
}

void AlertWebhook::send_first() {
  ++tasks_.front().tries;
  HttpCall call;
  call.url = url_;
  call.content_type = "application/json";
  call.body = crypto::to_bytes(tasks_.front().body);
  call.follow_redirects = false;
  call.timeout = watch_limits::kAlertWebhookTimeout;
  client_.request(std::move(call), [this](const Result<HttpReply>& reply) { take_answer(reply); });
}

void AlertWebhook::take_answer(const Result<HttpReply>& reply) {
  if (may_pass(reply) && tasks_.front().tries < watch_limits::kAlertWebhookTries) {
    timer_.expires_after(watch_limits::kAlertWebhookPause);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) send_first();
    });
    return;
  }
  const AlertDone done = std::move(tasks_.front().done);
  tasks_.pop_front();
  if (!tasks_.empty()) send_first();
  done(problem_in(reply));
}

AlertSinks::AlertSinks(boost::asio::io_context& io, const AlertOptions& options, Notice notice)
    : notice_(std::move(notice)), command_(io, options.command), webhook_(io, options.webhook) {}

void AlertSinks::deliver(const Alert& alert, const Report& report) {
  const std::string json = crypto::json_text(alert_json(alert));
  for (const std::string& place : alert.to) {
    const auto done = [report, place](const std::string& problem) { report(place, problem); };
    if (place == "notice") notice_(alert, done);
    if (place == "command") command_.run(json + "\n", done);
    if (place == "webhook") webhook_.post(json, done);
  }
}

}  // namespace kith::node
