#include "recovery/plan_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"

namespace kith::recovery {
namespace {

bool is_sign(char letter) {
  return letter == '(' || letter == ')' || letter == ',';
}

bool is_blank(char letter) {
  return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

struct Word {
  std::string text;
  bool quoted = false;
  std::size_t line = 0;

  [[nodiscard]] bool is(std::string_view what) const { return !quoted && text == what; }
};

Error in_line(std::size_t line, const std::string& what) {
  return fail(Errc::malformed, "line " + std::to_string(line) + ": " + what);
}

/// Words, signs and quoted names; an empty word at the end.
Result<std::vector<Word>> words_of(std::string_view text) {
  std::vector<Word> words;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char letter = text[at];
    if (letter == '\n') ++line;
    if (is_blank(letter)) {
      ++at;
    } else if (letter == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (letter == '"') {
      const std::size_t end = text.find_first_of("\"\n", at + 1);
      if (end == std::string_view::npos || text[end] != '"') {
        return in_line(line, "a name in quotes does not end");
      }
      words.push_back({std::string(text.substr(at + 1, end - at - 1)), true, line});
      at = end + 1;
    } else if (is_sign(letter)) {
      words.push_back({std::string(1, letter), false, line});
      ++at;
    } else {
      std::size_t end = at;
      while (end < text.size() && !is_blank(text[end]) && !is_sign(text[end]) && text[end] != '"' &&
             text[end] != '#') {
        ++end;
      }
      words.push_back({std::string(text.substr(at, end - at)), false, line});
      at = end;
    }
  }
  words.push_back({"", false, line});
  return words;
}

std::optional<unsigned> number_of(const Word& word) {
  unsigned number = 0;
  const char* const end = word.text.data() + word.text.size();
  const auto [rest, error] = std::from_chars(word.text.data(), end, number);
  if (word.quoted || error != std::errc() || rest != end) return std::nullopt;
  return number;
}

class PlanReader {
 public:
  explicit PlanReader(std::vector<Word> words) : words_(std::move(words)) {}

  Result<Plan> whole() {
    if (!at_group()) return in_line(now().line, "a plan begins with a number, or all, and of");
    TRY(Plan plan, group(0));
    if (!at_end()) return in_line(now().line, "there is more after the plan's end");
    return plan;
  }

 private:
  [[nodiscard]] const Word& now() const { return words_[at_]; }
  [[nodiscard]] bool at_end() const { return at_ + 1 == words_.size(); }
  Word take() { return at_end() ? words_[at_] : words_[at_++]; }
  [[nodiscard]] bool at_group() const {
    return !at_end() && words_[at_ + 1].is("of") && (now().is("all") || number_of(now()));
  }

  Result<void> expect(std::string_view sign) {
    const Word word = take();
    if (word.is(sign)) return {};
    return in_line(word.line, "here should be " + std::string(sign) + ", and not " +
                                  (word.text.empty() ? "the end" : word.text));
  }

  Result<Plan> group(std::size_t depth) {
    // Reading stops where checking would.
    if (depth == limits::kPlanDepthMax) return in_line(now().line, "groups may nest three deep");
    const Word first = take();
    take();  // of
    CHECK(expect("("));
    Plan plan;
    while (true) {
      CHECK(member(depth, plan.children));
      if (plan.children.size() > limits::kPlanChildrenMax) {
        return in_line(now().line, "a group has at most 32 members");
      }
      if (!now().is(",")) break;
      take();
    }
    CHECK(expect(")"));
    const std::size_t all = plan.children.size();
    const std::size_t threshold = number_of(first).value_or(static_cast<unsigned>(all));
    if (threshold < 1 || threshold > all) {
      return in_line(first.line, first.text + " of " + std::to_string(all) + " cannot be");
    }
    plan.threshold = static_cast<std::uint8_t>(threshold);
    return plan;
  }

  Result<void> member(std::size_t depth, std::vector<Plan>& to) {
    if (at_group()) {
      TRY(Plan inner, group(depth + 1));
      to.push_back(std::move(inner));
      return {};
    }
    Plan leaf;
    const bool paper = now().is("paper");
    if (paper) take();
    const Word name = take();
    const bool is_name = !name.text.empty() && (name.quoted || !is_sign(name.text[0]));
    if (!is_name) return in_line(name.line, "here should be a name");
    leaf.holder = {paper ? HolderKind::paper : HolderKind::trustee, name.text};
    unsigned weight = 1;
    if (!paper && now().is("weight")) {
      take();
      const Word given = take();
      weight = number_of(given).value_or(0);
      if (weight < 1 || weight > limits::kPlanChildrenMax) {
        return in_line(given.line, "a weight is a number from 1 to 32");
      }
    }
    to.insert(to.end(), weight, leaf);
    return {};
  }

  std::vector<Word> words_;
  std::size_t at_ = 0;
};

/// Quoted where it would be read as something else.
std::string name_text(const std::string& name) {
  const bool plain = std::ranges::none_of(
      name, [](char letter) { return is_blank(letter) || is_sign(letter) || letter == '#'; });
  const bool keyword = name == "of" || name == "all" || name == "paper" || name == "weight";
  const bool number = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  return plain && !keyword && !number ? name : '"' + name + '"';
}

void write_group(const Plan& plan, std::string& text) {
  const std::size_t all = plan.children.size();
  text += plan.threshold == all ? "all" : std::to_string(plan.threshold);
  text += " of (";
  for (std::size_t i = 0; i < all;) {
    if (i > 0) text += ", ";
    const Plan& child = plan.children[i];
    if (!child.is_leaf()) {
      write_group(child, text);
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    const bool paper = child.holder.kind == HolderKind::paper;
    while (!paper && end < all && plan.children[end] == child) ++end;
    text += (paper ? "paper " : "") + name_text(child.holder.id);
    if (end - i > 1) text += " weight " + std::to_string(end - i);
    i = end;
  }
  text += ")";
}

}  // namespace

Result<Plan> read_plan(std::string_view text) {
  if (text.size() > limits::kTextBytesMax)
    return fail(Errc::limit_exceeded, "the plan is too long");
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && text[begin] == '{') return parse_plan(text);
  TRY(std::vector<Word> words, words_of(text));
  TRY(Plan plan, PlanReader(std::move(words)).whole());
  CHECK(check_plan(plan));
  return plan;
}

std::string plan_text(const Plan& plan) {
  ASSERT(check_plan(plan).has_value());
  std::string text;
  write_group(plan, text);
  return text;
}

}  // namespace kith::recovery
