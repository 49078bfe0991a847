#pragma once

/// Which records the devices of one owner share, and what becomes of one that another device sends
/// (agent_records.hpp has the rules). Used by agent_records.cpp alone.

#include <optional>
#include <string>
#include <vector>

#include "protocol/host.hpp"

namespace kith::recovery {

struct SharedName {
  std::string collection;
  std::string id;
  friend auto operator<=>(const SharedName&, const SharedName&) = default;
};

/// All that are here, contacts before their logs and texts.
[[nodiscard]] std::vector<SharedName> shared_names(Host& host);
/// A record of that collection may come from another device.
[[nodiscard]] bool is_shared_collection(std::string_view collection);

/// Takes a value of another device, by the rules of its collection. `newer`: it goes before what is
/// here where the later one counts. Errors: malformed, refused, those of the log reader.
[[nodiscard]] Result<void> take_shared(Host& host, const SharedName& name, ByteView value,
                                       bool newer);

}  // namespace kith::recovery
