// kith.toml: every option and its default, what is refused and where, and the page that describes
// it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "node/runtime/config_file.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith {
namespace {

using node::apply_config;
using node::config_options;
using node::ConfigOption;
using node::RuntimeOptions;

std::string refusal(std::string_view text) {
  RuntimeOptions options;
  const auto applied = apply_config(text, "kith.toml", options);
  return applied.has_value() ? "taken" : applied.error().detail;
}

TEST(Config, AnEmptyFileChangesNothing) {
  RuntimeOptions options;
  EXPECT_TRUE(apply_config("# nothing\n", "kith.toml", options).has_value());
  for (const ConfigOption& option : config_options()) {
    EXPECT_EQ(option.get(options), option.get(RuntimeOptions{})) << option.name;
  }
}

TEST(Config, EveryOptionIsReadIntoItsOwnPlace) {
  for (const ConfigOption& option : config_options()) {
    const auto standard = option.get(RuntimeOptions{});
    std::string value = "[\"did:example:a\"]";
    if (const bool* flag = std::get_if<bool>(&standard)) value = *flag ? "false" : "true";
    if (std::holds_alternative<std::int64_t>(standard)) value = "7";
    if (std::holds_alternative<std::string>(standard)) {
      value = option.choices.empty() ? "\"word\"" : '"' + std::string(option.choices.back()) + '"';
    }
    RuntimeOptions options;
    const auto applied =
        apply_config(std::string(option.name) + " = " + value, "kith.toml", options);
    ASSERT_TRUE(applied.has_value()) << applied.error().detail;
    for (const ConfigOption& other : config_options()) {
      const bool changed = other.get(options) != other.get(RuntimeOptions{});
      EXPECT_EQ(changed, other.name == option.name) << option.name << " and " << other.name;
    }
  }
}

TEST(Config, UnknownNamesAreRefusedWithTheNearestOneAndTheLine) {
  EXPECT_EQ(refusal("[mediator]\n\nadmision = \"open\"\n"),
            "kith.toml, line 3: there is no option `mediator.admision`; did you mean "
            "`mediator.admission`?");
  EXPECT_NE(refusal("[mediatr]\nallow = []\n").find("line 1: there is no option `mediatr`"),
            std::string::npos);
  EXPECT_NE(refusal("listen = \"127.0.0.1:1\"").find("did you mean `node.listen`?"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(5000, 'x') + " = 1").find("there is no option"), std::string::npos);
}

TEST(Config, WrongKindsAndRangesAreRefusedWithTheirLine) {
  EXPECT_EQ(refusal("[node]\nlisten = 80\n"),
            "kith.toml, line 2: `node.listen` must be a text in quotes");
  EXPECT_EQ(refusal("[mediator]\nenabled = \"yes\"\n"),
            "kith.toml, line 2: `mediator.enabled` must be true or false");
  EXPECT_EQ(refusal("[mediator]\nmail_days = 0\n"),
            "kith.toml, line 2: `mediator.mail_days` must be a whole number from 1 to 365");
  EXPECT_NE(refusal("mediator.mail_days = 366"), "taken");
  EXPECT_NE(refusal("mediator.mail_days = 1.5"), "taken");
  EXPECT_EQ(refusal("mediator.mail_days = 365"), "taken");
  EXPECT_EQ(refusal("[mediator]\nrelay_delay_ms = 600001\n"),
            "kith.toml, line 2: `mediator.relay_delay_ms` must be a whole number from 0 to 600000");
  EXPECT_NE(refusal("mediator.relay_delay_ms = -1"), "taken");
  EXPECT_EQ(refusal("mediator.relay_delay_ms = 600000"), "taken");
  EXPECT_EQ(refusal("mediator.relay_delay_ms = 0"), "taken");
  EXPECT_EQ(refusal("mediator.admission = \"closed\""),
            "kith.toml, line 1: `mediator.admission` must be one of: open, invited, allow-list");
  EXPECT_EQ(refusal("[mediator]\nallow = [\"did:example:a\",\n 3]\n"),
            "kith.toml, line 3: `mediator.allow` must be a list of texts");
  EXPECT_NE(refusal("mediator = 3").find("there is no option `mediator`"), std::string::npos);
  EXPECT_NE(refusal("[node.listen]\nx = 1"), "taken");
}

TEST(Config, WhatIsNoTomlIsRefusedWithItsLine) {
  EXPECT_NE(refusal("[node]\nlisten = \n").find("kith.toml, line 2: "), std::string::npos);
  EXPECT_NE(refusal("[node]\n[node]\n"), "taken");
  EXPECT_NE(refusal("a = " + std::string(100000, '[')), "taken");
}

TEST(Config, AFileMayBeAbsentUnlessItWasNamed) {
  const test::TempDirectory directory;
  const std::string path = directory.path() + "/kith.toml";
  RuntimeOptions options;
  EXPECT_TRUE(node::apply_config_file(path, true, options).has_value());
  EXPECT_EQ(node::apply_config_file(path, false, options).error(), Errc::io);
  std::ofstream(path) << "node.listen = \"127.0.0.1:0\"\n";
  ASSERT_TRUE(node::apply_config_file(path, true, options).has_value());
  EXPECT_EQ(options.listen, "127.0.0.1:0");
  std::ofstream(path) << std::string(300 * 1024, '#');
  EXPECT_EQ(node::apply_config_file(path, true, options).error(), Errc::usage);
}

std::string page_on_disk() {
  std::ifstream file(std::string(KITH_SOURCE_DIR) + "/docs/config.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Config, DocumentationSaysWhatTheTableSays) {
  if (std::getenv("KITH_WRITE_DOCS") != nullptr) {
    std::ofstream(std::string(KITH_SOURCE_DIR) + "/docs/config.md") << node::config_page();
  }
  EXPECT_EQ(page_on_disk(), node::config_page()) << "write it anew with KITH_WRITE_DOCS=1";
}

TEST(Config, TheDocumentedFileHoldsEveryOptionWithItsDefault) {
  const std::string page = page_on_disk();
  const std::size_t begin = page.find("```toml\n") + 8;
  ASSERT_LT(begin, page.size());
  const std::string file = page.substr(begin, page.find("```", begin) - begin);
  RuntimeOptions options;
  const auto applied = apply_config(file, "docs/config.md", options);
  ASSERT_TRUE(applied.has_value()) << applied.error().detail;
  for (const ConfigOption& option : config_options()) {
    EXPECT_EQ(option.get(options), option.get(RuntimeOptions{})) << option.name;
    const std::string last(option.name.substr(option.name.rfind('.') + 1));
    EXPECT_NE(file.find(last + " = "), std::string::npos) << option.name;
  }
}

}  // namespace
}  // namespace kith
