#pragma once

/// Limits of the audit log's files, of incidents and of alerts, each with its reason.

#include <chrono>
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

/// How often a running node looks for new entries of its audit log: an alert may be so late.
inline constexpr std::chrono::seconds kAuditLook{1};
/// Entries that one look hands on: a flood of them holds nothing else up.
inline constexpr std::size_t kAuditLookEntries = 500;
/// Wrong passphrases count together within so long.
inline constexpr std::chrono::minutes kTriesWindow{10};
/// Wrong passphrases in one entry; nobody types more before a locked node is unlocked.
inline constexpr std::size_t kTriesMax = 1000;
/// Alerts that wait for one program or service; more are dropped.
inline constexpr std::size_t kAlertsWaitingMax = 16;
/// A program that was told of an alert is ended after so long.
inline constexpr std::chrono::seconds kAlertCommandTimeout{30};
/// A service of this machine answers at once.
inline constexpr std::chrono::seconds kAlertWebhookTimeout{10};
/// How often an alert is posted before it is given up.
inline constexpr std::size_t kAlertWebhookTries = 3;
/// Between two of these tries: a service that is being restarted is there again.
inline constexpr std::chrono::seconds kAlertWebhookPause{2};

}  // namespace kith::node::watch_limits
