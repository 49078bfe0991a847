#pragma once

/// Where the control socket lives, and the checks on the way there (other users of the machine may
/// have prepared directories, links or files).

#include <string>

#include "crypto/result.hpp"

namespace kith::node {

/// `<home>/control.sock`, or `$XDG_RUNTIME_DIR/kith/<hash of home>.sock` where the former exceeds
/// 107 bytes (sockaddr_un has no room for more). Symbolic links in `home` are followed first, so
/// that one home has one socket. Errors: `limit_exceeded` (too long and no usable runtime
/// directory).
[[nodiscard]] Result<std::string> control_socket_path(const std::string& home);

/// The directory exists, is no symbolic link, belongs to this user and is closed to all others.
/// Errors: `refused`, `home_missing` (no such directory).
[[nodiscard]] Result<void> check_private_directory(const std::string& directory);

/// Makes the parent of `socket_path` if it is missing (one level, 0700, below a private directory)
/// and checks it; removes a stale socket of this user. The caller holds the lock of the home, so no
/// other server uses the socket. Errors: `refused` (unsafe directory, or the path is something
/// other than a socket of this user), `io`, `limit_exceeded` (path too long).
[[nodiscard]] Result<void> prepare_socket_path(const std::string& socket_path);
/// The same for a socket that a group may use: its directory is there, belongs to us or to root, is
/// no symbolic link, and nobody but its owner may write to it. Errors: as above.
[[nodiscard]] Result<void> prepare_group_socket_path(const std::string& socket_path);

}  // namespace kith::node
