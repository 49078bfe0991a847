#include "crypto/key_states.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace kith::crypto {
namespace {

/// Written down once more, as the header and docs/key-management.md draw it.
using Table = std::map<std::string, std::map<std::string, std::string>>;
const Table kTable{
    {"pre-active",
     {{"activate", "active"},
      {"deactivate", "deactivated"},
      {"compromise", "compromised"},
      {"destroy", "destroyed"}}},
    {"active",
     {{"suspend", "suspended"},
      {"deactivate", "deactivated"},
      {"compromise", "compromised"},
      {"destroy", "destroyed"}}},
    {"suspended",
     {{"renew", "active"},
      {"deactivate", "deactivated"},
      {"compromise", "compromised"},
      {"destroy", "destroyed"}}},
    {"deactivated", {{"compromise", "compromised"}, {"destroy", "destroyed"}}},
    {"compromised", {{"destroy", "destroyed-compromised"}}},
    {"destroyed", {{"compromise", "destroyed-compromised"}}},
    {"destroyed-compromised", {}},
};

TEST(KeyStates, EveryStateAndEventIsAsTheTableSays) {
  std::size_t allowed = 0;
  ASSERT_EQ(kTable.size(), kKeyStates.size());
  for (const KeyState state : kKeyStates) {
    const auto& row = kTable.at(std::string(key_state_name(state)));
    for (const KeyEvent event : kKeyEvents) {
      const auto wanted = row.find(std::string(key_event_name(event)));
      const auto next = next_key_state(state, event);
      ASSERT_EQ(next.has_value(), wanted != row.end())
          << key_state_name(state) << " " << key_event_name(event);
      if (!next.has_value()) {
        EXPECT_EQ(next.error().code, Errc::wrong_state);
        continue;
      }
      EXPECT_EQ(key_state_name(*next), wanted->second);
      ++allowed;
    }
  }
  EXPECT_EQ(allowed, 16U);
}

TEST(KeyStates, NothingLeadsBackFromCompromiseOrDestruction) {
  for (const KeyState first : {KeyState::compromised, KeyState::destroyed}) {
    std::set<KeyState> reached{first};
    for (std::size_t i = 0; i < kKeyStates.size(); ++i) {
      for (const KeyState state : std::set<KeyState>(reached)) {
        for (const KeyEvent event : kKeyEvents) {
          if (const auto next = next_key_state(state, event); next.has_value()) {
            reached.insert(*next);
          }
        }
      }
    }
    for (const KeyState state : reached) EXPECT_FALSE(key_may(state, KeyWork::protect));
  }
}

TEST(KeyStates, OnlyAnActiveKeyProtects) {
  const std::set<KeyState> readers{KeyState::active, KeyState::deactivated, KeyState::compromised};
  for (const KeyState state : kKeyStates) {
    EXPECT_EQ(key_may(state, KeyWork::protect), state == KeyState::active);
    EXPECT_EQ(key_may(state, KeyWork::process), readers.contains(state)) << key_state_name(state);
    EXPECT_EQ(key_may(state, KeyWork::prove),
              state == KeyState::active || state == KeyState::pre_active);
  }
}

TEST(KeyStates, HaveNamesOfTheirOwn) {
  for (const KeyState state : kKeyStates) {
    EXPECT_TRUE(is_valid(state));
    EXPECT_EQ(key_state_named(key_state_name(state)), state);
  }
  EXPECT_EQ(key_state_named("retired"), std::nullopt);
  EXPECT_FALSE(is_valid(KeyState{0}));
  EXPECT_FALSE(is_valid(KeyState{8}));
}

}  // namespace
}  // namespace kith::crypto
