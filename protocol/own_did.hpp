#pragma once

/// What the files of the pickup module keep of an own DID that receives mail (record
/// `own-did`/<did>).

#include <cstdint>
#include <string_view>

namespace kith::protocol::pickup {

inline constexpr std::string_view kOwnDids = "own-did";

/// Stored: never renumber.
enum class DidWish : std::uint8_t {
  add = 1,
  registered = 2,
  remove = 3,
  refused = 4,
  lost = 5,  ///< The mediator gives its mail to another client.
};
constexpr bool is_valid(DidWish wish) {
  return wish >= DidWish::add && wish <= DidWish::lost;
}

/// Nothing is to be asked of the mediator.
constexpr bool settled(DidWish wish) {
  return wish != DidWish::add && wish != DidWish::remove;
}

struct OwnDid {
  DidWish wish = DidWish::add;
  bool shown = false;   ///< The last request for it carried a proof.
  bool proven = false;  ///< The mediator said that it has taken one.
  bool bare = false;    ///< None can be made, or the mediator did not take it.
  bool missed = false;  ///< The mediator did not list it: asked for without proof, to see why.
  bool yields = false;  ///< Missed, and refused so: asked for with a proof that gives way.
  template <class V>
  void visit(V& v) {
    v("wish", wish), v("shown", shown), v("proven", proven), v("bare", bare), v("missed", missed);
    v("yields", yields);
  }
};

}  // namespace kith::protocol::pickup
