#include "sim/phases.hpp"

#include "protocol/record.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/trustee_session.hpp"

namespace kith::sim {
namespace {

template <class T>
std::optional<T> value_of(const protocol::Write& write) {
  if (!write.value) return std::nullopt;
  auto value = protocol::decode_record<T>(*write.value);
  if (!value.has_value()) return std::nullopt;
  return std::move(*value);
}

std::string_view phase_of_set(const recovery::OwnerSet& set) {
  switch (set.step) {
    case recovery::SetStep::offering:
    case recovery::SetStep::storing:
    case recovery::SetStep::anchoring:
      return "setup";
    case recovery::SetStep::committing:
      return "commit";
    case recovery::SetStep::done:
      break;
  }
  return {};
}

std::string_view phase_of_session(const recovery::Session& session) {
  using recovery::SessionState;
  if (session.state == SessionState::released) return "release";
  if (session.state == SessionState::approved || session.state == SessionState::waiting) {
    return "approval";
  }
  return {};
}

}  // namespace

const std::vector<std::string_view>& phases() {
  static const std::vector<std::string_view> all{"connect",  "setup",   "commit", "move",
                                                 "approval", "release", "finish"};
  return all;
}

std::string_view phase_of(const protocol::Batch& batch) {
  std::string_view found;
  for (const protocol::Write& write : batch) {
    const std::string& collection = write.key.collection;
    if (collection == "recovery-record" && write.key.id == "set") {
      if (const auto set = value_of<recovery::OwnerSet>(write)) found = phase_of_set(*set);
    } else if (collection == "recovery-record" && write.key.id == "finish") {
      found = "finish";
    } else if (collection == "session") {
      if (const auto session = value_of<recovery::Session>(write)) {
        found = phase_of_session(*session);
      }
    } else if (collection == "meta" && write.key.id == "ledger-move") {
      found = "move";
    } else if (collection == "contact") {
      found = "connect";
    }
    if (!found.empty()) return found;
  }
  return found;
}

}  // namespace kith::sim
