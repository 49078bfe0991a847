#pragma once

/// What a contact said of itself that its user should see next to its name (node/incidents.hpp).

#include "protocol/host.hpp"

namespace kith::protocol {

/// Collection `incident-from`, by contact id: an incident that the contact told of and has not
/// closed.
struct ContactFlag {
  Bytes notice;      ///< Its id; only a notice with the same one takes it back.
  std::string kind;  ///< "stolen-device", ...
  std::string day;   ///< As the contact said: 2026-11-23.
  template <class V>
  void visit(V& v) {
    v("notice", notice), v("kind", kind), v("day", day);
  }
};
inline constexpr std::string_view kContactFlags = "incident-from";

}  // namespace kith::protocol
