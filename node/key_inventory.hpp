#pragma once

/// The inventory of keys (key_info.hpp): it follows the records that hold keys. Whatever
/// puts, changes or erases one of them, and whatever an own log says of its keys, shows in
/// `key-info` with the same batch; no flow has to think of it, and no crash can part the two.
///
///   a record with a key appears      it is made (or given); next and recovery keys are pre-active
///   an entry of our log names it     active
///   it is kept for vetoes alone      deactivated: its log goes by other keys, or has ended
///   no record holds it any more      destroyed: its info moves to `key-gone`, the audit log gets a
///                                    receipt "key.destroyed" {keys}, one for each unit
///
/// A key that was marked as compromised before it was destroyed is so again when a backup brings it
/// back.

#include "protocol/unit_of_work.hpp"

namespace kith::node {

/// Call it right before the commit of every unit.
void follow_keys(protocol::UnitOfWork& unit);

/// Compares the inventory with what is held: at every start, for homes that are older than the
/// inventory or were used by a program that keeps none, and for records that the shell writes.
void take_stock_of_keys(Host& host);

}  // namespace kith::node
