#pragma once

/// Limits of the audit log's files and of incidents, each with its reason.

#include <cstddef>

namespace kith::node::watch_limits {

/// Entries in one answer of the node to `kith audit export`: they fit a frame of the control
/// socket, whatever their details.
inline constexpr std::size_t kAuditPageEntries = 200;
/// A file of exported entries that is checked: a year of a busy mediator.
inline constexpr std::size_t kAuditFileBytesMax = 256 * 1024 * 1024;
/// One line of it.
inline constexpr std::size_t kAuditLineBytesMax = 256 * 1024;

/// Incidents that are kept: none is deleted, and nobody has more in a life.
inline constexpr std::size_t kIncidentsMax = 1000;

}  // namespace kith::node::watch_limits
