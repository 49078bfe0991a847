#pragma once

/// Short addresses of invitations (out-of-band 2.0, "Short URL Message Retrieval", and the protocol
/// shorten-url 1.0 by which a client asks its mediator for one).
///
/// A mediator keeps short addresses for its clients, only of invitations that lead to itself, so
/// that it cannot be used to send people elsewhere. Each ends with its invitation at the latest.
///
/// Commands:
///   shorten {url} -> {id}                 Errors: bad_url, wrong_state (no mediator).
///   shorten-status {id} -> {state, url?, error?}     state: waiting, done or failed
///   unshorten {url} -> {id}               the other way: fetches what a short address leads to
///   unshorten-status {id} -> {state, url?, error?}
///   short-url-get {id} -> {url, invitation}          for the listener; Errors: not_found.

#include <string>
#include <string_view>
#include <vector>

#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kShortenRequest =
    "https://didcomm.org/shorten-url/1.0/request-shortened-url";
inline constexpr std::string_view kShortened = "https://didcomm.org/shorten-url/1.0/shortened-url";
inline constexpr std::string_view kShortenInvalidate =
    "https://didcomm.org/shorten-url/1.0/invalidate-shortened-url";
inline constexpr std::string_view kShortenGoal = "shorten.oobv2";

class OutOfBand final : public Module {
 public:
  /// `public_url`: of this node's listener if it serves short addresses; empty: it does not.
  explicit OutOfBand(std::string public_url) : public_url_(std::move(public_url)) {}

  std::string_view name() const override { return "out-of-band"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) override;
  void on_problem(Host& host, const Inbound& inbound, const ProblemReport& report) override;

 private:
  std::string public_url_;
};

}  // namespace kith::protocol
