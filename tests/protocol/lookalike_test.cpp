#include "protocol/lookalike.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "crypto/software_keys.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::protocol {
namespace {

TEST(LookAlike, WarnsOfNamesThatPassForOneAnother) {
  const std::pair<std::string, std::string> alike[] = {
      {"Alice", "Alice"},
      {"Alice", "alice"},
      {"Bob", "Bob (2)"},
      {"Alice", "\u0410lice"},               // Cyrillic A
      {"Petro", "\u0420\u0435tr\u043e"},     // Cyrillic Р, е, о
      {"ANNA", "\u0391\u039d\u039d\u0391"},  // Greek capitals
      {"Alice", "A1ice"},
      {"Alice", "AIice"},
      {"Bob", "B0b"},
      {"Carmen", "Carrnen"},
      {"Wilma", "VVilma"},
      {"Jose", "Jos\u00e9"},
      {"Jose", "Jose\u0301"},
      {"Alice", "\uff21lice"},   // full width
      {"Alice", "Al\u200bice"},  // zero width space
      {"Alice", "Al\u00adice"},  // soft hyphen
      {"Alice Smith", "AliceSmith"},
      {"Alice Smith", "Alice\u00a0Smith"},
      {"Soren", "S\u00f8ren"},
      {"file", "\ufb01le"},  // ligature
  };
  for (const auto& [a, b] : alike) {
    EXPECT_TRUE(look_alike(a, b)) << a << " and " << b;
    EXPECT_TRUE(look_alike(b, a)) << b << " and " << a;
  }
}

TEST(LookAlike, LeavesDifferentNamesAlone) {
  const std::pair<std::string, std::string> different[] = {
      {"Alice", "Alicia"},
      {"Bob", "Rob"},
      {"Anna", "Anne"},
      {"Bob (work)", "Bob"},
      {"\u0410\u043d\u043d\u0430", "\u041e\u043b\u044c\u0433\u0430"},  // Анна, Ольга
      {"\u674e", "\u738b"},
      {"", ""},
      {"\u200b", "\u200b"},
      {"\xff\xfe", "\xff\xfe"},  // no text at all
      {"(2)", "(3)"},
  };
  for (const auto& [a, b] : different) EXPECT_FALSE(look_alike(a, b)) << a << " and " << b;
}

TEST(LookAlike, BearsLongText) {
  const std::string accents(limits::kTextBytesMax * 4, '\xcc');
  EXPECT_FALSE(look_alike(accents, "Alice"));
  EXPECT_FALSE(look_alike(std::string(limits::kTextBytesMax * 4, 'a'), "Alice"));
}

TEST(LookAlike, NamesTheContactsThatAreMeant) {
  test::MemoryStore store;
  crypto::SeededRandom random{1, "lookalike"};
  crypto::SoftwareKeys keys{random.secret(32), random};
  UnitOfWork unit({store, keys, random, from_epoch_seconds(1'795'000'000), {}, true});
  const auto add = [&](const std::string& id, const std::string& name, ContactState state) {
    Contact contact;
    contact.id = id;
    contact.name = name;
    contact.state = state;
    save_contact(unit, contact);
    return contact;
  };
  add("1", "Alice", ContactState::connected);
  add("2", "ALICE", ContactState::ended);
  const Contact stranger = add("3", "A1ice", ContactState::requested);
  EXPECT_EQ(lookalikes(unit, stranger.name, stranger.id), std::vector<std::string>{"Alice"});
  EXPECT_NE(lookalike_warning(unit, stranger).find("\"Alice\""), std::string::npos);
  const Contact other = add("4", "Robert", ContactState::connected);
  EXPECT_EQ(lookalike_warning(unit, other), "");
}

}  // namespace
}  // namespace kith::protocol
