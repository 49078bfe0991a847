#pragma once

/// The states of a key, and what leads from one to the next (NIST SP 800-130, FR 6.15 and 6.17; SP
/// 800-57 part 1, section 7). Pure: whoever keeps a key's record asks here before changing it.
///
///                 activate   suspend    renew   deactivate   compromise    destroy
///   pre-active    active     -          -       deactivated  compromised   destroyed
///   active        -          suspended  -       deactivated  compromised   destroyed
///   suspended     -          -          active  deactivated  compromised   destroyed
///   deactivated   -          -          -       -            compromised   destroyed
///   compromised   -          -          -       -            -             destroyed-compromised
///   destroyed     -          -          -       -            destroyed-compromised   -
///   destroyed-compromised: its end.
///
/// Beyond the standard: a next key whose log went another way is deactivated without having been
/// active; only vetoes need it then.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::crypto {

/// Stored: never renumber.
enum class KeyState : std::uint8_t {
  pre_active = 1,
  active = 2,
  suspended = 3,
  deactivated = 4,
  compromised = 5,
  destroyed = 6,
  destroyed_compromised = 7,
};
constexpr bool is_valid(KeyState state) {
  return state >= KeyState::pre_active && state <= KeyState::destroyed_compromised;
}

enum class KeyEvent : std::uint8_t { activate, suspend, renew, deactivate, compromise, destroy };

/// What a key is wanted for.
enum class KeyWork : std::uint8_t {
  protect,  ///< Makes something new that others rely on: signs, encrypts, authenticates.
  process,  ///< Reads what was protected before.
  prove,    ///< Shows that it is held: signs the entry that makes it active.
};

inline constexpr std::array<KeyState, 7> kKeyStates = {
    KeyState::pre_active,           KeyState::active,      KeyState::suspended,
    KeyState::deactivated,          KeyState::compromised, KeyState::destroyed,
    KeyState::destroyed_compromised};
inline constexpr std::array<KeyEvent, 6> kKeyEvents = {KeyEvent::activate,   KeyEvent::suspend,
                                                       KeyEvent::renew,      KeyEvent::deactivate,
                                                       KeyEvent::compromise, KeyEvent::destroy};

/// In the order of their numbers.
inline constexpr std::array<std::string_view, 7> kKeyStateNames = {
    "pre-active",           "active", "suspended", "deactivated", "compromised", "destroyed",
    "destroyed-compromised"};
inline constexpr std::array<std::string_view, 6> kKeyEventNames = {
    "activate", "suspend", "renew", "deactivate", "compromise", "destroy"};

[[nodiscard]] constexpr std::string_view key_state_name(KeyState state) {
  return kKeyStateNames.at(static_cast<std::size_t>(state) - 1);
}
[[nodiscard]] constexpr std::string_view key_event_name(KeyEvent event) {
  return kKeyEventNames.at(static_cast<std::size_t>(event));
}
[[nodiscard]] constexpr std::optional<KeyState> key_state_named(std::string_view name) {
  for (const KeyState state : kKeyStates) {
    if (key_state_name(state) == name) return state;
  }
  return std::nullopt;
}

struct KeyStep {
  KeyState from;
  KeyEvent event;
  KeyState to;
};
/// Every step that there is.
inline constexpr std::array<KeyStep, 16> kKeySteps = {{
    {KeyState::pre_active, KeyEvent::activate, KeyState::active},
    {KeyState::pre_active, KeyEvent::deactivate, KeyState::deactivated},
    {KeyState::pre_active, KeyEvent::compromise, KeyState::compromised},
    {KeyState::pre_active, KeyEvent::destroy, KeyState::destroyed},
    {KeyState::active, KeyEvent::suspend, KeyState::suspended},
    {KeyState::active, KeyEvent::deactivate, KeyState::deactivated},
    {KeyState::active, KeyEvent::compromise, KeyState::compromised},
    {KeyState::active, KeyEvent::destroy, KeyState::destroyed},
    {KeyState::suspended, KeyEvent::renew, KeyState::active},
    {KeyState::suspended, KeyEvent::deactivate, KeyState::deactivated},
    {KeyState::suspended, KeyEvent::compromise, KeyState::compromised},
    {KeyState::suspended, KeyEvent::destroy, KeyState::destroyed},
    {KeyState::deactivated, KeyEvent::compromise, KeyState::compromised},
    {KeyState::deactivated, KeyEvent::destroy, KeyState::destroyed},
    {KeyState::compromised, KeyEvent::destroy, KeyState::destroyed_compromised},
    {KeyState::destroyed, KeyEvent::compromise, KeyState::destroyed_compromised},
}};

/// Errors: wrong_state (there is no such step).
[[nodiscard]] inline Result<KeyState> next_key_state(KeyState state, KeyEvent event) {
  for (const KeyStep& step : kKeySteps) {
    if (step.from == state && step.event == event) return step.to;
  }
  return fail(Errc::wrong_state, "the key is " + std::string(key_state_name(state)) +
                                     ": it cannot be taken through \"" +
                                     std::string(key_event_name(event)) + "\" from there");
}

/// Only an active key protects. What was protected is read as long as the key exists, unless it is
/// suspended or has never been active; one that is announced may show that it is held.
[[nodiscard]] constexpr bool key_may(KeyState state, KeyWork work) {
  switch (state) {
    case KeyState::active:
      return true;
    case KeyState::pre_active:
      return work == KeyWork::prove;
    case KeyState::deactivated:
    case KeyState::compromised:
      return work == KeyWork::process;
    case KeyState::suspended:
    case KeyState::destroyed:
    case KeyState::destroyed_compromised:
      return false;
  }
  return false;
}

/// The private half is no more.
[[nodiscard]] constexpr bool is_gone(KeyState state) {
  return state >= KeyState::destroyed;
}

}  // namespace kith::crypto

namespace kith {
using crypto::KeyEvent;
using crypto::KeyState;
using crypto::KeyWork;
}  // namespace kith
