#include "recovery/session_table.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace kith::recovery {
namespace {

using S = SessionState;
using E = SessionEvent;
using Rows = std::map<std::pair<std::string, std::string>, std::string>;

std::vector<S> all_states() {
  std::vector<S> states;
  for (std::uint8_t n = 1; is_valid(static_cast<S>(n)); ++n) states.push_back(static_cast<S>(n));
  return states;
}

std::vector<E> all_events() {
  std::vector<E> events;
  for (std::uint8_t n = 0; n < kSessionEvents; ++n) events.push_back(static_cast<E>(n));
  return events;
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

/// "| state | event: next, event: next |" between the marks of the page.
Rows rows_of_page(const std::string& page) {
  Rows rows;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "<!-- table: session -->") inside = true;
    if (line == "<!-- end -->") inside = false;
    const auto second = line.find('|', 1);
    if (!inside || line.empty() || line[0] != '|' || second == std::string::npos) continue;
    const std::string state = trimmed(line.substr(1, second - 1));
    std::istringstream cells(line.substr(second + 1, line.rfind('|') - second - 1));
    for (std::string cell; std::getline(cells, cell, ',');) {
      const auto colon = cell.find(':');
      if (colon == std::string::npos || state == "in state") continue;
      rows[{state, trimmed(cell.substr(0, colon))}] = trimmed(cell.substr(colon + 1));
    }
  }
  return rows;
}

Rows rows_of_code() {
  Rows rows;
  for (const S state : all_states()) {
    for (const E event : all_events()) {
      const auto next = next_state(state, event);
      if (!next) continue;
      rows[{std::string(state_name(state)), std::string(event_name(event))}] =
          std::string(state_name(*next));
    }
  }
  return rows;
}

std::string page_text() {
  std::ifstream file(KITH_SOURCE_DIR "/docs/recovery-states.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SessionTable, IsTheOneInTheDocumentation) {
  const Rows page = rows_of_page(page_text());
  ASSERT_FALSE(page.empty());
  EXPECT_EQ(page, rows_of_code());
}

TEST(SessionTable, AChangedPageWouldBeNoticed) {
  std::string text = page_text();
  const auto at = text.find("due: released");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 13, "due: waiting ");
  EXPECT_NE(rows_of_page(text), rows_of_code());
}

TEST(SessionTable, NamesEveryStateAndEventOnce) {
  std::set<std::string_view> states, events;
  for (const S state : all_states()) states.insert(state_name(state));
  for (const E event : all_events()) events.insert(event_name(event));
  EXPECT_EQ(states.size(), 16U);
  EXPECT_EQ(events.size(), kSessionEvents);
  EXPECT_FALSE(states.contains(""));
  EXPECT_FALSE(events.contains(""));
}

TEST(SessionTable, HasEveryPairAtMostOnce) {
  std::set<std::pair<S, E>> pairs;
  for (const Transition& row : session_table()) {
    EXPECT_TRUE(pairs.insert({row.state, row.event}).second)
        << state_name(row.state) << " " << event_name(row.event);
  }
}

TEST(SessionTable, OnlyDueReleasesAndOnlyAfterWaitingOrConfirming) {
  for (const Transition& row : session_table()) {
    if (row.next != S::released || row.state == S::released) continue;
    EXPECT_EQ(row.event, E::due);
    EXPECT_TRUE(row.state == S::waiting || row.state == S::confirmed) << state_name(row.state);
  }
}

TEST(SessionTable, NothingWakesASessionThatIsOver) {
  for (const Transition& row : session_table()) {
    EXPECT_TRUE(!is_over(row.state) || row.next == row.state) << state_name(row.state);
  }
}

TEST(SessionTable, AVetoCountsInEveryMatchedStateAndInNoOther) {
  for (const S state : all_states()) {
    EXPECT_EQ(next_state(state, E::veto).has_value(), is_matched(state)) << state_name(state);
  }
}

/// Without confirm there is no way from contested to released.
TEST(SessionTable, AContestedSessionIsReleasedOnlyThroughConfirm) {
  std::set<S> reached{S::contested};
  for (bool grew = true; grew;) {
    grew = false;
    for (const Transition& row : session_table()) {
      if (row.event == E::confirm || !reached.contains(row.state)) continue;
      grew = reached.insert(row.next).second || grew;
    }
  }
  EXPECT_FALSE(reached.contains(S::released));
  EXPECT_FALSE(reached.contains(S::waiting));
}

/// Nor any way to an approval that skips either code.
TEST(SessionTable, ApprovalNeedsBothCodes) {
  for (const E left_out : {E::user_right, E::device_right}) {
    std::set<S> reached{S::received};
    for (bool grew = true; grew;) {
      grew = false;
      for (const Transition& row : session_table()) {
        if (row.event == left_out || !reached.contains(row.state)) continue;
        grew = reached.insert(row.next).second || grew;
      }
    }
    EXPECT_FALSE(reached.contains(S::approved)) << event_name(left_out);
  }
}

}  // namespace
}  // namespace kith::recovery
