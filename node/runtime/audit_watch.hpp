#pragma once

/// New entries of a running node's audit log, for the system's journal and the rules for alerts. It
/// looks every second, reads what is on the disk and writes nothing. Entries that were made while
/// no node ran are not told: `kith audit export` has all of them.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "protocol/audit_log.hpp"
#include "protocol/store.hpp"

namespace kith::node {

/// The fields of one entry in the journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a
/// line each, which is whole because JSON and the names of events hold no line breaks. KITH_AUDIT_N
/// and KITH_AUDIT_HASH make the journal a place where the chain can be compared later.
[[nodiscard]] std::string journal_fields(const protocol::AuditEntry& entry);
/// One datagram, without waiting. False: nobody listens there, or does not take it.
bool send_to_journal(const std::string& socket_path, const std::string& fields);

class AuditWatch {
 public:
  using OnEntry = std::function<void(const protocol::AuditEntry&)>;
  /// `store` outlives it. Begins with the entries after those that are there now. Errors: those of
  /// the store.
  [[nodiscard]] static Result<std::unique_ptr<AuditWatch>> start(boost::asio::io_context& io,
                                                                 protocol::Store& store,
                                                                 OnEntry on_entry);
  /// Tells what is new, at most watch_limits::kAuditLookEntries. Called by its timer.
  void look();

 private:
  AuditWatch(boost::asio::io_context& io, protocol::Store& store, OnEntry on_entry)
      : timer_(io), store_(store), on_entry_(std::move(on_entry)) {}
  [[nodiscard]] Result<std::uint64_t> count();
  void arm();

  boost::asio::steady_timer timer_;
  protocol::Store& store_;
  OnEntry on_entry_;
  std::uint64_t next_ = 0;
};

}  // namespace kith::node
