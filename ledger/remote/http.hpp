#pragma once

/// Ledger over HTTP as plain structs; the shell carries them.
///
///     GET  /ledger/descriptor                        200 descriptor
///     GET  /ledger/log/<subject>?from=N              200 page
///     POST /ledger/log/<subject>                     200 {"position","time"} | 409 {"head"}
///          body {"blob":base64url,"expected_head":".."}
///     GET  /ledger/follow?position=N&max=M           200 page
///
/// A page is {"complete":bool,"entries":[{"blob","position","subject","time"}]}; times are ms since
/// 1970. Errors are {"error":{"code","message"}} with 400 (form, or an entry that would not count),
/// 404 (path), 405, 413 (too large), 429 (too many appends), 503 (outcome unknown, or the disk).

#include <string>

namespace kith::ledger {

struct HttpQuestion {
  std::string method;  ///< "GET" or "POST".
  std::string target;  ///< To a service: path and query. From a client: the whole URL.
  std::string body;
};

struct HttpReply {
  int status = 0;
  std::string content_type;
  std::string body;
};

}  // namespace kith::ledger
