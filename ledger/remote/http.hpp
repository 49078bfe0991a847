#pragma once

/// Ledger over HTTP as plain structs; the shell carries them.
///
///     GET  /ledger/descriptor                        200 descriptor
///     GET  /ledger/log/<subject>?from=N&seen=S       200 page
///     POST /ledger/log/<subject>                     200 {"position","receipt","time"} |
///          body {"blob":base64url,"expected_head":"..","witnessed":[..]?}    409 {"head"}
///     GET  /ledger/follow?position=N&max=M&seen=S    200 page
///     GET  /ledger/checkpoint                        200 signed note, as text
///     GET  /ledger/tile/..                           200 hashes or leaves (tiles.hpp)
///     GET  /ledger/proof/inclusion?position=N&size=S 200 {"position","proof","size"}
///     GET  /ledger/proof/consistency?old=N&size=S    200 {"old","proof","size"}
///     GET  /ledger/witnesses                         200 {"witnesses":[{"k":Multikey,"url"}]}
///
/// "witnessed" are words of witnesses about a recover or veto (witness_time.hpp), with which it is
/// taken though it is late by the ledger's clock; an entry of a page has them where it came with
/// some. Witnesses are those of the descriptor with the addresses at which the host asks them; a
/// wrong address does no harm, for what comes from it is signed.
///
/// A page is {"complete":bool,"entries":[{"blob","position","subject","time"}]}; times are ms since
/// 1970. With `seen` each entry also has "proof", its inclusion, and the page has
/// "tree":{"checkpoint","consistency","descriptor"}: the newest signed note, and that it continues
/// the one of S leaves that the reader trusts (0: none).
/// Where the descriptor asks for witnesses, only what enough of them have cosigned is shown; "tree"
/// then has "anchors", the first cosigned notes over the page's entries, and each entry "anchor",
/// the place of its own among them, and "anchored", its inclusion there: the entry's anchor time is
/// when enough witnesses had signed that note, not "time". Proofs are arrays of hashes in base64,
/// in the order of RFC 9162; without `size` they are for the newest checkpoint. A receipt is a C2SP
/// tlog-proof (receipt.hpp).
///
/// Errors are {"error":{"code","message"}} with 400 (form, or an entry that would not count),
/// 403 (an entry for a copy of the ledger: the message names the ledger itself),
/// 404 (path, or a size beyond the ledger's), 405, 413 (too large), 429 (too many appends), 503
/// (outcome unknown, the disk, or "ledger.not_witnessed": too few witnesses have signed; an entry
/// that was appended is kept, and counts when they do; or a copy has not come as far as `seen`).

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
  bool final = false;  ///< The same for ever: caches may keep it.
};

}  // namespace kith::ledger
