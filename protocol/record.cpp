#include "protocol/record.hpp"

#include <algorithm>
#include <limits>
#include <msgpack.hpp>
#include <optional>

#include "crypto/assert.hpp"

namespace kith::protocol {

using crypto::FlatBuilder;
using crypto::FlatNode;

namespace {

struct Sink {
  Bytes bytes;
  void write(const char* data, std::size_t size) {
    const auto* from = reinterpret_cast<const std::uint8_t*>(data);
    bytes.insert(bytes.end(), from, from + size);
  }
};
using Packer = msgpack::packer<Sink>;

void pack(Packer& packer, const Value& value);

struct PackVisitor {
  Packer& packer;
  void operator()(std::monostate) const { packer.pack_nil(); }
  void operator()(bool value) const {
    if (value) {
      packer.pack_true();
    } else {
      packer.pack_false();
    }
  }
  void operator()(std::int64_t value) const { packer.pack_int64(value); }
  void operator()(const std::string& value) const {
    packer.pack_str(static_cast<std::uint32_t>(value.size()));
    packer.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
  }
  void operator()(const Bytes& value) const {
    packer.pack_bin(static_cast<std::uint32_t>(value.size()));
    packer.pack_bin_body(reinterpret_cast<const char*>(value.data()),
                         static_cast<std::uint32_t>(value.size()));
  }
  void operator()(const Value::List& values) const {
    packer.pack_array(static_cast<std::uint32_t>(values.size()));
    for (const Value& value : values) pack(packer, value);
  }
  void operator()(const Value::Map& values) const {
    packer.pack_map(static_cast<std::uint32_t>(values.size()));
    for (const auto& [name, value] : values) {
      (*this)(name);
      pack(packer, value);
    }
  }
};

void pack(Packer& packer, const Value& value) {
  std::visit(PackVisitor{packer}, value.data);
}

/// At least what msgpack takes.
struct SizeVisitor {
  static constexpr std::size_t kHeadBytes = 9;
  template <class T>
  std::size_t operator()(const T&) const {
    return kHeadBytes;
  }
  std::size_t operator()(const std::string& value) const { return kHeadBytes + value.size(); }
  std::size_t operator()(const Bytes& value) const { return kHeadBytes + value.size(); }
  std::size_t operator()(const Value::List& values) const {
    std::size_t size = kHeadBytes;
    for (const Value& value : values) size += std::visit(*this, value.data);
    return size;
  }
  std::size_t operator()(const Value::Map& values) const {
    std::size_t size = kHeadBytes;
    for (const auto& [name, value] : values) size += (*this)(name) + std::visit(*this, value.data);
    return size;
  }
};

/// Hears what the msgpack library finds; the answer false stops it.
class RecordReader : public msgpack::null_visitor {
 public:
  bool visit_nil() { return add(Kind::nil, std::int64_t{0}); }
  bool visit_boolean(bool value) { return add(Kind::boolean, std::int64_t{value}); }
  bool visit_positive_integer(std::uint64_t value) {
    if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
      return refuse(Errc::malformed, "integer out of range");
    }
    return add(Kind::integer, static_cast<std::int64_t>(value));
  }
  bool visit_negative_integer(std::int64_t value) { return add(Kind::integer, value); }
  bool visit_str(const char* data, std::uint32_t size) {
    name_comes_ = false;
    return add(Kind::text, std::string_view(data, size));
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return add(Kind::bytes, std::string_view(data, size));
  }
  bool visit_float32(auto) { return refuse_kind(); }
  bool visit_float64(auto) { return refuse_kind(); }
  bool visit_ext(const char*, std::uint32_t) { return refuse_kind(); }
  bool start_array(std::uint32_t size) { return open(Kind::list, size); }
  bool end_array() { return close(); }
  bool start_map(std::uint32_t size) { return open(Kind::map, size); }
  bool start_map_key() { return name_comes_ = true; }
  bool end_map() {
    if (has_a_name_twice(flat_.innermost())) return refuse(Errc::malformed, "field named twice");
    return close();
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] FlatValue take() { return flat_.take(); }

 private:
  using Kind = FlatNode::Kind;

  template <class Content>
  bool add(Kind kind, Content content) {
    if (name_comes_) return refuse(Errc::malformed, "field name is not a text");
    flat_.add(kind, content);
    return true;
  }
  /// Nothing is set aside for what a container only claims to hold.
  bool open(Kind kind, std::uint32_t size) {
    if (name_comes_) return refuse(Errc::malformed, "field name is not a text");
    if (size > limits::kRecordItemsMax) {
      return refuse(Errc::limit_exceeded, "record holds too many items");
    }
    if (flat_.depth() >= limits::kRecordDepthMax) {
      return refuse(Errc::limit_exceeded, "record is nested too deeply");
    }
    flat_.open(kind, size);
    return true;
  }
  bool close() {
    flat_.close();
    return true;
  }
  bool refuse(Errc code, const char* why) {
    error_ = fail(code, why);
    return false;
  }
  bool refuse_kind() {
    return refuse(Errc::unsupported, "floats and extensions are not used in records");
  }

  FlatBuilder flat_;
  bool name_comes_ = false;
  std::optional<Error> error_;
};

Value tree_of(ValueView from) {
  if (const auto value = from.boolean()) return Value{*value};
  if (const auto value = from.integer()) return Value{*value};
  if (const auto value = from.text()) return Value{std::string(*value)};
  if (const auto value = from.bytes()) return Value{crypto::to_bytes(*value)};
  if (from.is_list()) {
    Value::List values;
    for (const ValueView item : from.items()) values.push_back(tree_of(item));
    return Value{std::move(values)};
  }
  if (from.is_map()) {
    Value::Map values;
    for (const auto& [name, value] : from.fields()) values.emplace(name, tree_of(value));
    return Value{std::move(values)};
  }
  return Value{};
}

struct JsonVisitor {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool value) const { return value; }
  Json operator()(std::int64_t value) const { return value; }
  Json operator()(const std::string& value) const { return boost::json::string(value); }
  Json operator()(const Bytes& value) const {
    return boost::json::string(crypto::base64url(value));
  }
  Json operator()(const Value::List& values) const {
    JsonArray array;
    for (const Value& value : values) array.push_back(to_json_value(value));
    return array;
  }
  Json operator()(const Value::Map& values) const {
    JsonObject object;
    for (const auto& [name, value] : values) object[name] = to_json_value(value);
    return object;
  }
};

}  // namespace

Bytes to_msgpack(const Value& value) {
  Sink sink;
  sink.bytes.reserve(std::visit(SizeVisitor{}, value.data));
  Packer packer(sink);
  pack(packer, value);
  ASSERT(sink.bytes.size() <= limits::kRecordBytesMax);  // Our own writers stay below; see limits.
  return std::move(sink.bytes);
}

Result<FlatValue> read_msgpack(ByteView bytes) {
  if (bytes.size() > limits::kRecordBytesMax) return fail(Errc::limit_exceeded, "record too large");
  RecordReader reader;
  std::size_t offset = 0;
  const bool whole =
      msgpack::parse(reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset, reader);
  if (reader.error()) return *reader.error();
  if (!whole) return fail(Errc::malformed, "record is cut off or not msgpack");
  if (offset != bytes.size()) return fail(Errc::malformed, "record has trailing bytes");
  return reader.take();
}

Result<Value> from_msgpack(ByteView bytes) {
  TRY(const FlatValue value, read_msgpack(bytes));
  return tree_of(value.root());
}

Json to_json_value(const Value& value) {
  return std::visit(JsonVisitor{}, value.data);
}

namespace {

std::string_view flat_text(boost::json::string_view text) {
  return {text.data(), text.size()};
}

Result<void> flatten(const JsonObject& object, FlatBuilder& flat);

/// Bounded: parse_json has limited depth and size.
Result<void> flatten(const Json& json, FlatBuilder& flat) {
  using Kind = FlatNode::Kind;
  switch (json.kind()) {
    case boost::json::kind::null:
      flat.add(Kind::nil, std::int64_t{0});
      return {};
    case boost::json::kind::bool_:
      flat.add(Kind::boolean, std::int64_t{json.get_bool()});
      return {};
    case boost::json::kind::int64:
      flat.add(Kind::integer, json.get_int64());
      return {};
    case boost::json::kind::uint64:
      return fail(Errc::malformed, "integer out of range");
    case boost::json::kind::double_:
      return fail(Errc::malformed, "floats are not used here");
    case boost::json::kind::string:
      flat.add(Kind::text, flat_text(json.get_string()));
      return {};
    case boost::json::kind::array:
      flat.open(Kind::list, json.get_array().size());
      for (const Json& item : json.get_array()) CHECK(flatten(item, flat));
      flat.close();
      return {};
    case boost::json::kind::object:
      return flatten(json.get_object(), flat);
  }
  UNREACHABLE();
}

Result<void> flatten(const JsonObject& object, FlatBuilder& flat) {
  flat.open(FlatNode::Kind::map, object.size());
  for (const auto& [name, item] : object) {
    flat.add(FlatNode::Kind::text, flat_text(name));
    CHECK(flatten(item, flat));
  }
  flat.close();
  return {};
}

}  // namespace

Result<FlatValue> read_json_value(const JsonObject& json) {
  FlatBuilder flat;
  CHECK(flatten(json, flat));
  return flat.take();
}

}  // namespace kith::protocol
