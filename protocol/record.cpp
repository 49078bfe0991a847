#include "protocol/record.hpp"

#include <msgpack.hpp>

#include "crypto/assert.hpp"

namespace kith::protocol {
namespace {

using Packer = msgpack::packer<msgpack::sbuffer>;

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

Result<Value> unpack(const msgpack::object& object);

Result<Value> unpack_map(const msgpack::object_map& map) {
  Value::Map values;
  for (std::uint32_t i = 0; i < map.size; ++i) {
    if (map.ptr[i].key.type != msgpack::type::STR) {
      return fail(Errc::malformed, "field name is not a text");
    }
    const msgpack::object_str& name = map.ptr[i].key.via.str;
    TRY(Value value, unpack(map.ptr[i].val));
    const bool added = values.emplace(std::string(name.ptr, name.size), std::move(value)).second;
    if (!added) return fail(Errc::malformed, "field named twice");
  }
  return Value{std::move(values)};
}

Result<Value> unpack(const msgpack::object& object) {
  switch (object.type) {
    case msgpack::type::NIL:
      return Value{};
    case msgpack::type::BOOLEAN:
      return Value{object.via.boolean};
    case msgpack::type::POSITIVE_INTEGER:
      if (object.via.u64 > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        return fail(Errc::malformed, "integer out of range");
      }
      return Value{static_cast<std::int64_t>(object.via.u64)};
    case msgpack::type::NEGATIVE_INTEGER:
      return Value{object.via.i64};
    case msgpack::type::STR:
      return Value{std::string(object.via.str.ptr, object.via.str.size)};
    case msgpack::type::BIN: {
      const auto* data = reinterpret_cast<const std::uint8_t*>(object.via.bin.ptr);
      return Value{Bytes(data, data + object.via.bin.size)};
    }
    case msgpack::type::ARRAY: {
      Value::List values;
      values.reserve(object.via.array.size);
      for (std::uint32_t i = 0; i < object.via.array.size; ++i) {
        TRY(Value value, unpack(object.via.array.ptr[i]));
        values.push_back(std::move(value));
      }
      return Value{std::move(values)};
    }
    case msgpack::type::MAP:
      return unpack_map(object.via.map);
    default:
      return fail(Errc::unsupported, "floats and extensions are not used in records");
  }
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
  msgpack::sbuffer buffer;
  Packer packer(buffer);
  pack(packer, value);
  ASSERT(buffer.size() <= limits::kRecordBytesMax);  // Our own writers stay below; see limits.
  const auto* data = reinterpret_cast<const std::uint8_t*>(buffer.data());
  return Bytes(data, data + buffer.size());
}

Result<Value> from_msgpack(ByteView bytes) {
  if (bytes.size() > limits::kRecordBytesMax) return fail(Errc::limit_exceeded, "record too large");
  const msgpack::unpack_limit limit(limits::kRecordItemsMax, limits::kRecordItemsMax,
                                    limits::kRecordBytesMax, limits::kRecordBytesMax, 0,
                                    limits::kRecordDepthMax);
  try {
    std::size_t offset = 0;
    const msgpack::object_handle handle = msgpack::unpack(
        reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset, nullptr, nullptr, limit);
    if (offset != bytes.size()) return fail(Errc::malformed, "record has trailing bytes");
    return unpack(handle.get());
  } catch (const msgpack::size_overflow&) {
    return fail(Errc::limit_exceeded, "record holds too many items");
  } catch (const msgpack::unpack_error&) {
    return fail(Errc::malformed, "record is cut off or not msgpack");
  }
}

Json to_json_value(const Value& value) {
  return std::visit(JsonVisitor{}, value.data);
}

Result<Value> from_json_value(const Json& json) {
  switch (json.kind()) {
    case boost::json::kind::null:
      return Value{};
    case boost::json::kind::bool_:
      return Value{json.get_bool()};
    case boost::json::kind::int64:
      return Value{json.get_int64()};
    case boost::json::kind::uint64:
      return fail(Errc::malformed, "integer out of range");
    case boost::json::kind::double_:
      return fail(Errc::malformed, "floats are not used here");
    case boost::json::kind::string:
      return Value{std::string(json.get_string())};
    case boost::json::kind::array: {
      Value::List values;
      for (const Json& item : json.get_array()) {
        TRY(Value value, from_json_value(item));
        values.push_back(std::move(value));
      }
      return Value{std::move(values)};
    }
    case boost::json::kind::object: {
      Value::Map values;
      for (const auto& [name, item] : json.get_object()) {
        TRY(Value value, from_json_value(item));
        values.emplace(std::string(name), std::move(value));
      }
      return Value{std::move(values)};
    }
  }
  UNREACHABLE();
}

}  // namespace kith::protocol
