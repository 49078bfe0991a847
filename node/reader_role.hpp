#pragma once

/// The role of a reader, an auditor for example: what may be asked through the socket of the
/// option `node.readers_socket`. A list, and not all that only reads: texts of people, and codes
/// that pair devices, are their owner's alone.

#include <string_view>
#include <vector>

namespace kith::node {

/// Commands of the agent and of the shell that a reader may give.
[[nodiscard]] const std::vector<std::string_view>& reader_commands();
[[nodiscard]] bool reader_may(std::string_view command);

}  // namespace kith::node
