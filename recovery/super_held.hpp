#pragma once

/// Records of a holder (super_holder.hpp is the contract): shared by super_holder.cpp, for offers
/// and keys, and super_asks.cpp, for requests.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/contact.hpp"
#include "recovery/super_messages.hpp"

namespace kith::recovery {

/// Stored: never renumber.
enum class HeldStep : std::uint8_t {
  offered = 1,    ///< Our person is to decide.
  declined = 2,   ///< Said no.
  agreed = 3,     ///< The keys are made; the owner has their public halves.
  told = 4,       ///< The owner says where they count; that is being looked up.
  confirmed = 5,  ///< Both logs name them.
  withdrawn = 6,  ///< Nothing came of it.
};
constexpr bool is_valid(HeldStep step) {
  return step >= HeldStep::offered && step <= HeldStep::withdrawn;
}
[[nodiscard]] std::string_view step_name(HeldStep step);

/// Record recovery-record/held_id().
struct SuperHeld {
  std::string contact_id;
  std::string offer_id;
  std::string text;  ///< The owner's words.
  std::string reason;
  HeldStep step = HeldStep::offered;
  std::vector<SuperKey> keys;  ///< As the owner got them.
  SuperResponse told;
  std::string problem;
  std::uint32_t looks = 0;
  Time received{};
  Time expires{};  ///< Of the offer; epoch: never.
  Time since{};    ///< Of the step.
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("offer_id", offer_id), v("text", text), v("reason", reason);
    v("step", step), v("keys", keys), v("told", told), v("problem", problem), v("looks", looks);
    v("received", received), v("expires", expires), v("since", since);
  }
  [[nodiscard]] std::string key_of(std::string_view log) const;  ///< "" where there is none.
};

/// Stored: never renumber.
enum class AskStep : std::uint8_t {
  reading = 1,   ///< The logs do not show yet what it speaks of.
  open = 2,      ///< Our person is to decide.
  approved = 3,  ///< Signed.
  declined = 4,
  over = 5,  ///< Posted, withdrawn or out of time.
};
constexpr bool is_valid(AskStep step) {
  return step >= AskStep::reading && step <= AskStep::over;
}
[[nodiscard]] std::string_view step_name(AskStep step);

/// Collection `super-ask`, by held_id(): the newest request.
struct SuperAsk {
  std::string request_id;
  std::string contact_id;
  std::vector<Bytes> entries;
  std::string text;
  AskStep step = AskStep::reading;
  std::string why;  ///< What stands in the way, or how it ended.
  std::vector<SuperSigned> signatures;
  bool signed_before = false;  ///< An earlier request of this owner was signed.
  std::uint32_t wrong_codes = 0;
  std::uint32_t looks = 0;
  Time received{};
  Time expires{};
  template <class V>
  void visit(V& v) {
    v("request_id", request_id), v("contact_id", contact_id), v("entries", entries);
    v("text", text), v("step", step), v("why", why), v("signatures", signatures);
    v("signed_before", signed_before), v("wrong_codes", wrong_codes), v("looks", looks);
    v("received", received), v("expires", expires);
  }
};

inline constexpr std::array<std::string_view, 2> kSuperLogs{kDidLog, kPolicyLog};

[[nodiscard]] std::string held_id(std::string_view contact_id, std::string_view offer_id);
[[nodiscard]] std::optional<SuperHeld> find_held(Host& host, std::string_view id);
void save_held(Host& host, const SuperHeld& held);
/// Of this contact; all, if empty. In the order of their offers' ids.
[[nodiscard]] std::vector<SuperHeld> all_held(Host& host, std::string_view contact_id = {});
[[nodiscard]] std::string subject_of(const SuperHeld& held, std::string_view log);
[[nodiscard]] std::string reading_id(const SuperHeld& held, std::string_view log);
/// Both logs, unless they are being read.
void read_logs(Host& host, const SuperHeld& held);
/// The held keys of a reading_id().
[[nodiscard]] std::optional<SuperHeld> held_of_reading(Host& host, std::string_view reading);

[[nodiscard]] Result<JsonObject> decline_super_offer(Host& host, std::string_view id,
                                                     std::string_view reason);

[[nodiscard]] std::optional<SuperAsk> find_ask(Host& host, const SuperHeld& held);
/// It goes on as far as it can: the logs were read, or time has passed. True: it still waits.
bool advance_ask(Host& host, const SuperHeld& held);
/// The holder's timer, this long after now.
void holder_looks_in(Host& host, std::uint32_t looks);
inline constexpr std::string_view kHolderTimer = "holder";

}  // namespace kith::recovery
