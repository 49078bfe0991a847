#pragma once

/// Where alerts go: a notice, a program (alert_command.hpp), a service of this machine by HTTP
/// POST. All are bounded in time and number, and nothing of what they answer is read but whether it
/// went well. One thread, that of the io_context.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "node/net/http.hpp"
#include "node/runtime/alert_command.hpp"
#include "node/runtime/alert_rules.hpp"

namespace kith::node {

/// Posts one body at a time; a refused connection or an answer of 5xx is tried again a few times.
class AlertWebhook {
 public:
  /// `url` is one that check_alert_options lets through: on this machine.
  AlertWebhook(boost::asio::io_context& io, std::string url);
  AlertWebhook(const AlertWebhook&) = delete;
  AlertWebhook& operator=(const AlertWebhook&) = delete;

  /// `done` is called later; at once if too many wait already.
  void post(std::string body, AlertDone done);

 private:
  struct Task {
    std::string body;
    AlertDone done;
    std::size_t tries = 0;
  };
  void send_first();
  void take_answer(const Result<HttpReply>& reply);

  std::string url_;
  std::deque<Task> tasks_;  ///< The first is under way.
  boost::asio::steady_timer timer_;
  HttpClient client_;
};

class AlertSinks {
 public:
  /// Shows an alert to the user.
  using Notice = std::function<void(const Alert&, AlertDone done)>;
  /// What became of it at one place.
  using Report = std::function<void(const std::string& place, const std::string& problem)>;

  AlertSinks(boost::asio::io_context& io, const AlertOptions& options, Notice notice);
  /// To each of alert.to; `report` is called once for each.
  void deliver(const Alert& alert, const Report& report);

 private:
  Notice notice_;
  AlertCommand command_;
  AlertWebhook webhook_;
};

}  // namespace kith::node
