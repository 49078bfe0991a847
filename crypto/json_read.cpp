#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "crypto/assert.hpp"
#include "crypto/json.hpp"

namespace kith::crypto {

namespace {

namespace bj = boost::json;

/// Lays out flat what the tokenizer finds. The tree is made of that too, so that there is one
/// reader of JSON.
class FlatJson {
 public:
  static constexpr std::size_t max_object_size = limits::kJsonMembersMax;
  static constexpr std::size_t max_array_size = limits::kJsonBytesMax;
  static constexpr std::size_t max_key_size = limits::kJsonBytesMax;
  static constexpr std::size_t max_string_size = limits::kEnvelopeBytesMax;

  FlatJson(std::string_view source, const JsonLimits& limits) : source_(source), limits_(limits) {}

  [[nodiscard]] FlatValue take() { return flat_.take(); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(Kind::map); }
  bool on_object_end(std::size_t size, bj::error_code& ec) {
    flat_.size_is(size);
    if (has_a_name_twice(flat_.innermost())) {
      return refuse(ec, Errc::malformed, "the same member name twice in one object");
    }
    flat_.close();
    return true;
  }
  bool on_array_begin(bj::error_code&) { return open(Kind::list); }
  bool on_array_end(std::size_t size, bj::error_code&) {
    flat_.size_is(size);
    flat_.close();
    return true;
  }

  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) { return begin_text(part); }
  bool on_key(bj::string_view part, std::size_t, bj::error_code&) { return end_text(part); }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    return begin_text(part);
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) { return end_text(part); }

  bool on_number_part(bj::string_view part, bj::error_code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t number, bj::string_view part, bj::error_code& ec) {
    number_.append(part.data(), part.size());
    if (number > kJsonIntegerMax || number < -kJsonIntegerMax) return too_large(ec);
    if (number_ == "-0" && !limits_.floats_allowed) {
      return refuse(ec, Errc::malformed, "minus zero");
    }
    number_.clear();
    flat_.add(Kind::integer, number);
    return true;
  }
  bool on_uint64(std::uint64_t, bj::string_view, bj::error_code& ec) { return too_large(ec); }
  bool on_double(double number, bj::string_view part, bj::error_code& ec) {
    number_.append(part.data(), part.size());
    if (number_.find_first_of(".eE") == std::string::npos) return too_large(ec);
    if (!limits_.floats_allowed) {
      return refuse(ec, Errc::malformed, "a number that is not a plain integer");
    }
    if (!std::isfinite(number)) return too_large(ec);
    number_.clear();
    flat_.add(number);
    return true;
  }

  bool on_bool(bool truth, bj::error_code&) {
    flat_.add(Kind::boolean, truth ? 1 : 0);
    return true;
  }
  bool on_null(bj::error_code& ec) {
    if (!limits_.nulls_allowed) return refuse(ec, Errc::malformed, "null");
    flat_.add(Kind::nil, 0);
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  using Kind = FlatNode::Kind;

  bool open(Kind kind) {
    flat_.open(kind, 0);
    return true;
  }

  bool begin_text(bj::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  /// A text without escapes comes in one part that lies in the source; all others are put together.
  bool end_text(bj::string_view part) {
    if (text_.empty() && lies_in_source(part)) {
      flat_.add(Kind::text, std::string_view(part.data(), part.size()));
      return true;
    }
    text_.append(part.data(), part.size());
    flat_.add_copy(text_);
    text_.clear();
    return true;
  }
  [[nodiscard]] bool lies_in_source(bj::string_view part) const {
    const std::less_equal<const char*> not_after;
    return not_after(source_.data(), part.data()) &&
           not_after(part.data() + part.size(), source_.data() + source_.size());
  }

  bool too_large(bj::error_code& ec) {
    return refuse(ec, Errc::malformed, "a number beyond what JSON carries exactly");
  }

  bool refuse(bj::error_code& ec, Errc code, std::string_view detail) {
    error_ = fail(code, "JSON: " + std::string(detail));
    ec = bj::error::syntax;
    return false;
  }

  std::string_view source_;
  const JsonLimits& limits_;
  FlatBuilder flat_;
  std::string text_;
  std::string number_;
  std::optional<Error> error_;
};

bool is_limit(const bj::error_code& ec) {
  return ec == bj::error::too_deep || ec == bj::error::object_too_large ||
         ec == bj::error::array_too_large || ec == bj::error::key_too_large ||
         ec == bj::error::string_too_large;
}

Json list_tree(ValueView list) {
  JsonArray items;
  items.reserve(list.size());
  for (const ValueView item : list.items()) items.push_back(json_tree(item));
  return items;
}

}  // namespace

Result<FlatValue> read_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) return fail(Errc::limit_exceeded, "JSON: too long");
  bj::parse_options options;
  options.max_depth = limits.depth_max;
  bj::basic_parser<FlatJson> parser(options, text, limits);
  bj::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (parser.handler().error()) return *parser.handler().error();
  if (is_limit(ec)) return fail(Errc::limit_exceeded, "JSON: too deep or too many members");
  if (ec || !parser.done()) return fail(Errc::malformed, "JSON: " + ec.message());
  if (used != text.size()) return fail(Errc::malformed, "JSON: text after the value");
  return parser.handler().take();
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  TRY(const FlatValue value, read_json(text, limits));
  return json_tree(value.root());
}

JsonObject json_object_tree(ValueView map) {
  JsonObject members;
  members.reserve(map.size());
  for (const auto& [name, value] : map.fields()) members.emplace(name, json_tree(value));
  return members;
}

/// Bounded: what was read has limited depth.
Json json_tree(ValueView value) {
  switch (value.kind()) {
    case FlatNode::Kind::nil:
      return nullptr;
    case FlatNode::Kind::boolean:
      return *value.boolean();
    case FlatNode::Kind::integer:
      return *value.integer();
    case FlatNode::Kind::real:
      return *value.real();
    case FlatNode::Kind::text:
      return bj::string(*value.text());
    case FlatNode::Kind::list:
      return list_tree(value);
    case FlatNode::Kind::map:
      return json_object_tree(value);
    case FlatNode::Kind::bytes:
      break;
  }
  UNREACHABLE();
}

}  // namespace kith::crypto
