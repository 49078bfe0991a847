#include "node/runtime/audit_watch.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "node/watch_limits.hpp"

namespace kith::node {

using protocol::AuditEntry;
using protocol::AuditHead;

std::string journal_fields(const AuditEntry& entry) {
  const std::string details = crypto::json_text(entry.details);
  return "MESSAGE=" + entry.event + " " + details + "\nPRIORITY=5\nSYSLOG_IDENTIFIER=kith\n" +
         "KITH_AUDIT_EVENT=" + entry.event + "\nKITH_AUDIT_N=" + std::to_string(entry.n) +
         "\nKITH_AUDIT_HASH=" + crypto::base64url(protocol::audit_hash(entry)) + "\n";
}

bool send_to_journal(const std::string& socket_path, const std::string& fields) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return false;
  const auto sent = ::sendto(socket, fields.data(), fields.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(socket);
  return sent == static_cast<ssize_t>(fields.size());
}

Result<std::unique_ptr<AuditWatch>> AuditWatch::start(boost::asio::io_context& io,
                                                      protocol::Store& store, OnEntry on_entry) {
  std::unique_ptr<AuditWatch> watch(new AuditWatch(io, store, std::move(on_entry)));
  TRY(watch->next_, watch->count());
  watch->arm();
  return watch;
}

Result<std::uint64_t> AuditWatch::count() {
  TRY(const auto bytes, store_.get({"meta", "audit"}));
  if (!bytes) return std::uint64_t{0};
  TRY(const auto head, protocol::decode_record<AuditHead>(*bytes));
  return head.count;
}

void AuditWatch::arm() {
  timer_.expires_after(watch_limits::kAuditLook);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    look();
    arm();
  });
}

void AuditWatch::look() {
  const auto all = count();
  if (!all.has_value()) return;  // The node itself will notice.
  const std::uint64_t end = std::min<std::uint64_t>(*all, next_ + watch_limits::kAuditLookEntries);
  while (next_ < end) {
    const auto bytes = store_.get({"audit", protocol::numbered_id(next_)});
    if (!bytes.has_value() || !*bytes) return;
    const auto entry = protocol::decode_record<AuditEntry>(**bytes);
    if (!entry.has_value()) return;
    ++next_;
    on_entry_(*entry);
  }
}

}  // namespace kith::node
