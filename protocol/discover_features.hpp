#pragma once

/// discover-features 2.0: asking an agent what it can do, and answering.
///
/// Answers tell nothing that the owner did not allow: patterns for contacts and for everybody else
/// (record meta/disclosure). By default contacts are told everything and strangers the protocols
/// that every agent has. The order of an answer is drawn anew each time, so that it says nothing
/// about the implementation.
///
/// Commands:
///   features-ask {contact, queries?: [{type, match}]} -> {id}    default: all protocols
///       Errors: unknown_peer, wrong_state, usage.
///   features-status {id} -> {id, contact, answered, disclosures?}    Errors: not_found.
///   features-policy {contacts?: [pattern], strangers?: [pattern]} -> {contacts, strangers}
///       Errors: usage, limit_exceeded.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kFeatureQueries =
    "https://didcomm.org/discover-features/2.0/queries";
inline constexpr std::string_view kFeatureDisclose =
    "https://didcomm.org/discover-features/2.0/disclose";

struct Feature {
  std::string type;                     ///< "protocol", "goal-code", "header" or "constraint".
  std::string id;                       ///< PIURI, goal code, name of the header or constraint.
  std::vector<std::string> roles = {};  ///< Of protocols; may be empty.
  std::string value = {};               ///< Of constraints.
};

/// Asks whether the contact speaks a protocol. Returns the question's id.
/// Errors: wrong_state (not connected), those of send.
[[nodiscard]] Result<std::string> ask_for_protocol(Host& host, const Contact& contact,
                                                   std::string_view piuri);
/// Whether the answer to that question names the protocol; nullopt while there is no answer.
[[nodiscard]] std::optional<bool> was_told(Host& host, std::string_view question,
                                           std::string_view piuri);

/// '*' stands for any number of characters, also none; everything else for itself.
[[nodiscard]] bool matches_pattern(std::string_view text, std::string_view pattern);

class DiscoverFeatures final : public Module {
 public:
  /// `features`: all that this node can do; see features_of.
  explicit DiscoverFeatures(std::vector<Feature> features) : features_(std::move(features)) {}

  std::string_view name() const override { return "discover-features"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;

 private:
  std::vector<Feature> features_;
};

/// The protocols of these modules (one feature for each PIURI), and what every Kith understands
/// besides: discover-features itself, headers, goal codes, the largest message.
[[nodiscard]] std::vector<Feature> features_of(const std::vector<std::unique_ptr<Module>>& modules);

}  // namespace kith::protocol
