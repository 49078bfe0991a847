#pragma once

/// Keeping the records of one owner's devices alike. Each device tells those that it was paired
/// with what changed since, record by record, until they say that they have it; so changes travel
/// over any chain of devices, whichever of them are on at a time.
///
/// What is shared: contacts that are people, with the logs of both sides; texts; the vault's items;
/// the profile; how the devices are called and which keys they have in relationships; which entries
/// of the own logs they made. What is not: keys, shares held for others, the identity's ledger,
/// mail and work under way, relationships with mediators and between the devices, or without logs.
///
/// Where two devices changed the same record, the later change counts (by the clocks of the
/// devices; if they are equal, the device with the greater key). A device may be a thief's by now:
/// what it may change is in shared_records.cpp, collection by collection, and docs/own-devices.md.
///
///   records {records: [{c, i, t, d, v}]}   ---->     collection, id, time, device, value
///                      <----  records-taken {}       on the same thread

#include <string_view>

#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::recovery {

inline constexpr std::string_view kRecordsMessage = "records";
inline constexpr std::string_view kRecordsTakenMessage = "records-taken";

/// Tells every paired device what it does not know, unless it has yet to confirm what it was told.
void tell_devices(Host& host);
/// Errors: not_authentic, unknown_peer, wrong_state (not paired), malformed, limit_exceeded.
[[nodiscard]] Result<void> on_records_message(Host& host, const Inbound& inbound);
/// The relationship with that device has ended.
void forget_device_records(Host& host, std::string_view contact_id);

}  // namespace kith::recovery
