#include "protocol/lookalike.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "crypto/limits.hpp"

namespace kith::protocol {
namespace {

struct Confusable {
  char32_t letter;
  char32_t latin;
};

/// Letters that print like a Latin one (Unicode Technical Standard 39, confusables.txt). Capitals
/// stand for themselves: `Р` is P, and its small letter `р` is p.
constexpr std::array kConfusables = {
    // Cyrillic
    Confusable{U'А', U'A'},
    Confusable{U'В', U'B'},
    Confusable{U'Е', U'E'},
    Confusable{U'З', U'3'},
    Confusable{U'І', U'I'},
    Confusable{U'Ј', U'J'},
    Confusable{U'К', U'K'},
    Confusable{U'М', U'M'},
    Confusable{U'Н', U'H'},
    Confusable{U'О', U'O'},
    Confusable{U'Р', U'P'},
    Confusable{U'С', U'C'},
    Confusable{U'Т', U'T'},
    Confusable{U'У', U'Y'},
    Confusable{U'Х', U'X'},
    Confusable{U'Ѕ', U'S'},
    Confusable{U'Ԛ', U'Q'},
    Confusable{U'Ԝ', U'W'},
    Confusable{U'а', U'a'},
    Confusable{U'в', U'b'},
    Confusable{U'е', U'e'},
    Confusable{U'з', U'3'},
    Confusable{U'і', U'i'},
    Confusable{U'ј', U'j'},
    Confusable{U'к', U'k'},
    Confusable{U'м', U'm'},
    Confusable{U'н', U'h'},
    Confusable{U'о', U'o'},
    Confusable{U'р', U'p'},
    Confusable{U'с', U'c'},
    Confusable{U'т', U't'},
    Confusable{U'у', U'y'},
    Confusable{U'х', U'x'},
    Confusable{U'ѕ', U's'},
    Confusable{U'һ', U'h'},
    Confusable{U'ԁ', U'd'},
    Confusable{U'ԛ', U'q'},
    Confusable{U'ԝ', U'w'},
    Confusable{U'ӏ', U'l'},
    Confusable{U'Ӏ', U'I'},
    Confusable{U'ѵ', U'v'},
    Confusable{U'г', U'r'},
    Confusable{U'п', U'n'},
    // Greek
    Confusable{U'Α', U'A'},
    Confusable{U'Β', U'B'},
    Confusable{U'Ε', U'E'},
    Confusable{U'Ζ', U'Z'},
    Confusable{U'Η', U'H'},
    Confusable{U'Ι', U'I'},
    Confusable{U'Κ', U'K'},
    Confusable{U'Μ', U'M'},
    Confusable{U'Ν', U'N'},
    Confusable{U'Ο', U'O'},
    Confusable{U'Ρ', U'P'},
    Confusable{U'Τ', U'T'},
    Confusable{U'Υ', U'Y'},
    Confusable{U'Χ', U'X'},
    Confusable{U'α', U'a'},
    Confusable{U'β', U'b'},
    Confusable{U'ε', U'e'},
    Confusable{U'η', U'n'},
    Confusable{U'ι', U'i'},
    Confusable{U'κ', U'k'},
    Confusable{U'μ', U'u'},
    Confusable{U'ν', U'v'},
    Confusable{U'ο', U'o'},
    Confusable{U'ρ', U'p'},
    Confusable{U'σ', U'o'},
    Confusable{U'τ', U't'},
    Confusable{U'υ', U'u'},
    Confusable{U'χ', U'x'},
    Confusable{U'γ', U'y'},
    Confusable{U'ω', U'w'},
    Confusable{U'ϲ', U'c'},
    Confusable{U'ϳ', U'j'},
    // Latin letters beside the alphabet
    Confusable{U'ı', U'i'},
    Confusable{U'ȷ', U'j'},
    Confusable{U'ø', U'o'},
    Confusable{U'Ø', U'O'},
    Confusable{U'ł', U'l'},
    Confusable{U'Ł', U'L'},
    Confusable{U'ɑ', U'a'},
    Confusable{U'ɡ', U'g'},
    Confusable{U'đ', U'd'},
    Confusable{U'ħ', U'h'},
};

/// Signs that are read as letters, and capitals that only their size tells from the small letter.
constexpr std::array kSigns = {
    Confusable{U'0', U'o'}, Confusable{U'1', U'l'}, Confusable{U'|', U'l'}, Confusable{U'I', U'l'},
    Confusable{U'!', U'l'}, Confusable{U'5', U's'}, Confusable{U'$', U's'}, Confusable{U'C', U'c'},
    Confusable{U'O', U'o'}, Confusable{U'S', U's'}, Confusable{U'U', U'u'}, Confusable{U'V', U'v'},
    Confusable{U'W', U'w'}, Confusable{U'X', U'x'}, Confusable{U'Z', U'z'},
};

template <std::size_t kCount>
char32_t replaced(const std::array<Confusable, kCount>& table, char32_t letter) {
  const auto* row = std::ranges::find(table, letter, &Confusable::letter);
  return row == table.end() ? letter : row->latin;
}

/// "Bob (2)" -> "Bob": how free_contact_name tells equal names apart.
std::string_view without_number(std::string_view name) {
  if (!name.ends_with(')')) return name;
  const std::size_t open = name.rfind(" (");
  if (open == std::string_view::npos || open == 0) return name;
  const std::string_view number = name.substr(open + 2, name.size() - open - 3);
  const bool digits =
      !number.empty() && std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? name.substr(0, open) : name;
}

/// NFKC without marks, invisible characters and spaces. Not UTF-8: nothing.
std::u32string plain_letters(std::string_view name) {
  constexpr auto kOptions = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_IGNORE | UTF8PROC_STRIPMARK |
      UTF8PROC_LUMP | UTF8PROC_STRIPCC);
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t bytes =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(name.data()),
                   static_cast<utf8proc_ssize_t>(std::min(name.size(), limits::kTextBytesMax)),
                   &mapped, kOptions);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  std::u32string letters;
  utf8proc_ssize_t at = 0;
  while (at < bytes) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(mapped + at, bytes - at, &code);
    if (used <= 0) break;
    at += used;
    if (code != ' ') letters.push_back(static_cast<char32_t>(code));
  }
  return letters;
}

/// The same word in other letters: case does not count, and digits stand for letters.
std::u32string as_word(const std::u32string& letters) {
  std::u32string word;
  for (const char32_t letter : letters) {
    const char32_t latin = replaced(kConfusables, letter);
    const auto small =
        static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(latin)));
    word.push_back(replaced(kSigns, replaced(kConfusables, small)));
  }
  return word;
}

/// The same picture: I, l and 1 are one stroke, and "rn" is nearly an m.
std::u32string as_picture(const std::u32string& letters) {
  std::u32string picture;
  for (const char32_t letter : letters) {
    picture.push_back(replaced(kSigns, replaced(kConfusables, letter)));
    const std::size_t size = picture.size();
    if (size < 2) continue;
    const std::u32string_view pair = std::u32string_view(picture).substr(size - 2);
    const char32_t merged = pair == U"rn" ? U'm' : pair == U"vv" ? U'w' : pair == U"cl" ? U'd' : 0;
    if (merged == 0) continue;
    picture.resize(size - 2);
    picture.push_back(merged);
  }
  return picture;
}

}  // namespace

bool look_alike(std::string_view a, std::string_view b) {
  const std::u32string first = plain_letters(without_number(a));
  const std::u32string second = plain_letters(without_number(b));
  if (first.empty() || second.empty()) return false;
  return as_word(first) == as_word(second) || as_picture(first) == as_picture(second);
}

std::vector<std::string> lookalikes(Host& host, std::string_view name, std::string_view own_id) {
  std::vector<std::string> names;
  for (const Contact& other : list_contacts(host)) {
    if (other.id == own_id || other.state == ContactState::ended) continue;
    if (look_alike(name, other.name)) names.push_back(other.name);
  }
  return names;
}

std::string lookalike_warning(Host& host, const Contact& contact) {
  const auto names = lookalikes(host, contact.name, contact.id);
  if (names.empty()) return {};
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "\"" : "\", \"") + name;
  return "The name \"" + contact.name + "\" is easily taken for " + list +
         "\": make sure who this is, and give one of them another name.";
}

}  // namespace kith::protocol
