#pragma once

/// The values of KeyOps' operations on the wire, for key_wire.cpp and remote_keys.cpp alone: one
/// Wire<T> a type, with `put` and `get`. What `get` gives may point into the frame.

#include <optional>
#include <type_traits>
#include <vector>

#include "crypto/key_ops.hpp"
#include "crypto/wire_buffer.hpp"

namespace kith::crypto::wire {

/// Lists of one frame, each: more is refused before anything is allocated for it.
inline constexpr std::size_t kListMax = 255;
/// Levels of a plan on the wire; KeyOps itself refuses what is deeper than it allows.
inline constexpr int kShapeLevelsMax = 8;

template <class T>
struct Wire;

template <>
struct Wire<ByteView> {
  static void put(WireBuffer& out, ByteView value) { out.sized(value); }
  static Result<ByteView> get(WireReader& in) { return in.sized(); }
};

template <>
struct Wire<std::string_view> {
  static void put(WireBuffer& out, std::string_view value) { out.sized(as_bytes(value)); }
  static Result<std::string_view> get(WireReader& in) {
    TRY(const ByteView bytes, in.sized());
    return as_text(bytes);
  }
};

template <>
struct Wire<std::uint64_t> {
  static void put(WireBuffer& out, std::uint64_t value) { out.u64(value); }
  static Result<std::uint64_t> get(WireReader& in) { return in.u64(); }
};

template <>
struct Wire<Bytes> {
  static void put(WireBuffer& out, const Bytes& value) { out.sized(value); }
  static Result<Bytes> get(WireReader& in) {
    TRY(const ByteView bytes, in.sized());
    return to_bytes(bytes);
  }
};

template <>
struct Wire<SecretBytes> {
  static void put(WireBuffer& out, const SecretBytes& value) { out.sized(value.expose()); }
  static Result<SecretBytes> get(WireReader& in) {
    TRY(const ByteView bytes, in.sized());
    return SecretBytes::copy_of(bytes);
  }
};

template <class E, E First, E Last>
struct WireEnum {
  static void put(WireBuffer& out, E value) { out.u8(static_cast<std::uint8_t>(value)); }
  static Result<E> get(WireReader& in) {
    TRY(const std::uint8_t value, in.u8());
    if (value < static_cast<std::uint8_t>(First) || value > static_cast<std::uint8_t>(Last)) {
      return fail(Errc::malformed, "a frame has an unknown kind");
    }
    return E{value};
  }
};
template <>
struct Wire<KeyType> : WireEnum<KeyType, KeyType::ed25519, KeyType::p521> {};
template <>
struct Wire<KeyPurpose> : WireEnum<KeyPurpose, KeyPurpose::authenticate, KeyPurpose::chain> {};

template <>
struct Wire<StepUp> {
  static void put(WireBuffer& out, StepUp value) { out.u64(static_cast<std::uint64_t>(value)); }
  static Result<StepUp> get(WireReader& in) {
    TRY(const std::uint64_t value, in.u64());
    return StepUp{value};
  }
};

template <>
struct Wire<Point> {
  static void put(WireBuffer& out, const Point& value) { out.raw(value.bytes()); }
  static Result<Point> get(WireReader& in) {
    TRY(const ByteView bytes, in.raw(Point::kBytes));
    return Point::parse(bytes);
  }
};

template <>
struct Wire<Scalar> {
  static void put(WireBuffer& out, const Scalar& value) { out.raw(value.bytes()); }
  static Result<Scalar> get(WireReader& in) {
    TRY(const ByteView bytes, in.raw(Scalar::kBytes));
    return Scalar::parse(bytes);
  }
};

template <>
struct Wire<SecretPoint> {
  static void put(WireBuffer& out, const SecretPoint& value) { out.raw(value.expose()); }
  static Result<SecretPoint> get(WireReader& in) {
    TRY(const ByteView bytes, in.raw(Point::kBytes));
    return SecretPoint::parse(bytes);
  }
};

/// Values of several members are their members, one after the other.
template <>
struct Wire<PublicKey> {
  static void put(WireBuffer& out, const PublicKey& value) {
    Wire<KeyType>::put(out, value.type);
    out.sized(value.bytes);
  }
  static Result<PublicKey> get(WireReader& in) {
    TRY(const KeyType type, Wire<KeyType>::get(in));
    TRY(Bytes bytes, Wire<Bytes>::get(in));
    return PublicKey{type, std::move(bytes)};
  }
};

/// One run of bytes with a name of its own.
template <class T, Bytes T::*Member>
struct WireBlob {
  static void put(WireBuffer& out, const T& value) { out.sized(value.*Member); }
  static Result<T> get(WireReader& in) {
    TRY(Bytes bytes, Wire<Bytes>::get(in));
    T value;
    value.*Member = std::move(bytes);
    return value;
  }
};
template <>
struct Wire<SealedKey> : WireBlob<SealedKey, &SealedKey::blob> {};
template <>
struct Wire<SealedShare> : WireBlob<SealedShare, &SealedShare::blob> {};
template <>
struct Wire<VaultItem> : WireBlob<VaultItem, &VaultItem::box> {};

/// Two members, in their order.
template <class T, auto First, auto Second>
struct WirePair {
  template <auto Member>
  using Of = std::remove_cvref_t<decltype(std::declval<T&>().*Member)>;
  static void put(WireBuffer& out, const T& value) {
    Wire<Of<First>>::put(out, value.*First);
    Wire<Of<Second>>::put(out, value.*Second);
  }
  static Result<T> get(WireReader& in) {
    TRY(Of<First> first, Wire<Of<First>>::get(in));
    TRY(Of<Second> second, Wire<Of<Second>>::get(in));
    return T{std::move(first), std::move(second)};
  }
};
template <>
struct Wire<KeyPair> : WirePair<KeyPair, &KeyPair::public_key, &KeyPair::sealed> {};
template <>
struct Wire<LockedVault> : WirePair<LockedVault, &LockedVault::public_key, &LockedVault::blob> {};
template <>
struct Wire<KeyOps::NewVault>
    : WirePair<KeyOps::NewVault, &KeyOps::NewVault::locked, &KeyOps::NewVault::unlocked> {};

template <>
struct Wire<WrapContext> {
  static void put(WireBuffer& out, const WrapContext& value) {
    Wire<std::string_view>::put(out, value.alg);
    for (const ByteView part : {value.apu, value.apv, value.tag}) out.sized(part);
  }
  static Result<WrapContext> get(WireReader& in) {
    TRY(const std::string_view alg, Wire<std::string_view>::get(in));
    TRY(const ByteView apu, in.sized());
    TRY(const ByteView apv, in.sized());
    TRY(const ByteView tag, in.sized());
    return WrapContext{alg, apu, apv, tag};
  }
};

template <class T>
struct Wire<std::vector<T>> {
  static void put(WireBuffer& out, const std::vector<T>& value) {
    out.u32(static_cast<std::uint32_t>(value.size()));
    for (const T& item : value) Wire<T>::put(out, item);
  }
  static Result<std::vector<T>> get(WireReader& in) {
    TRY(const std::uint32_t count, in.u32());
    if (count > kListMax) return fail(Errc::limit_exceeded, "a frame has too long a list");
    std::vector<T> items;
    for (std::uint32_t i = 0; i < count; ++i) {
      TRY(T item, Wire<T>::get(in));
      items.push_back(std::move(item));
    }
    return items;
  }
};

template <>
struct Wire<DealShape> {
  static void put(WireBuffer& out, const DealShape& value) {
    out.u8(value.threshold);
    Wire<std::vector<DealShape>>::put(out, value.children);
  }
  static Result<DealShape> get(WireReader& in) { return get(in, kShapeLevelsMax); }
  static Result<DealShape> get(WireReader& in, int levels) {
    if (levels == 0) return fail(Errc::limit_exceeded, "a plan has too many levels");
    DealShape shape;
    TRY(shape.threshold, in.u8());
    TRY(const std::uint32_t count, in.u32());
    if (count > kListMax) return fail(Errc::limit_exceeded, "a plan has too many branches");
    for (std::uint32_t i = 0; i < count; ++i) {
      TRY(DealShape child, get(in, levels - 1));
      shape.children.push_back(std::move(child));
    }
    return shape;
  }
};

template <>
struct Wire<DealtLeaf> {
  static void put(WireBuffer& out, const DealtLeaf& value) {
    Wire<std::vector<Scalar>>::put(out, value.x_path);
    Wire<Point>::put(out, value.share_point);
    Wire<SealedShare>::put(out, value.share);
  }
  static Result<DealtLeaf> get(WireReader& in) {
    DealtLeaf leaf;
    TRY(leaf.x_path, Wire<std::vector<Scalar>>::get(in));
    TRY(leaf.share_point, Wire<Point>::get(in));
    TRY(leaf.share, Wire<SealedShare>::get(in));
    return leaf;
  }
};
template <>
struct Wire<DealtNode> : WirePair<DealtNode, &DealtNode::x_path, &DealtNode::point> {};

template <>
struct Wire<Dealing> {
  static void put(WireBuffer& out, const Dealing& value) {
    Wire<SecretPoint>::put(out, value.recovery_key);
    Wire<std::vector<DealtLeaf>>::put(out, value.leaves);
    Wire<std::vector<DealtNode>>::put(out, value.nodes);
  }
  static Result<Dealing> get(WireReader& in) {
    TRY(SecretPoint key, Wire<SecretPoint>::get(in));
    TRY(std::vector<DealtLeaf> leaves, Wire<std::vector<DealtLeaf>>::get(in));
    TRY(std::vector<DealtNode> nodes, Wire<std::vector<DealtNode>>::get(in));
    return Dealing{std::move(key), std::move(leaves), std::move(nodes)};
  }
};
template <>
struct Wire<PartialAnswer>
    : WirePair<PartialAnswer, &PartialAnswer::partials, &PartialAnswer::proofs> {};

template <>
struct Wire<KeyOps::OpenedCapsule> {
  static void put(WireBuffer& out, const KeyOps::OpenedCapsule& value) {
    out.sized(value.set_id);
    Wire<KeyPair>::put(out, value.vault);
    Wire<PublicKey>::put(out, value.signer);
  }
  static Result<KeyOps::OpenedCapsule> get(WireReader& in) {
    TRY(Bytes set_id, Wire<Bytes>::get(in));
    TRY(KeyPair vault, Wire<KeyPair>::get(in));
    TRY(PublicKey signer, Wire<PublicKey>::get(in));
    return KeyOps::OpenedCapsule{std::move(set_id), std::move(vault), std::move(signer)};
  }
};

/// A parameter of an operation: what it is on the wire, and how it is handed to the operation.
/// Pointers may be null, and have a byte before them that says so.
template <class P>
struct Parameter {
  using Held = std::remove_cvref_t<P>;
  static void put(WireBuffer& out, const Held& value) { Wire<Held>::put(out, value); }
  static Result<Held> get(WireReader& in) { return Wire<Held>::get(in); }
  static const Held& pass(const Held& held) { return held; }
};
template <class T>
struct Parameter<const T*> {
  using Held = std::optional<T>;
  static void put(WireBuffer& out, const T* value) {
    out.u8(value != nullptr ? 1 : 0);
    if (value != nullptr) Wire<T>::put(out, *value);
  }
  static Result<Held> get(WireReader& in) {
    TRY(const std::uint8_t there, in.u8());
    if (there > 1) return fail(Errc::malformed, "a frame has an unknown kind");
    if (there == 0) return Held();
    TRY(T value, Wire<T>::get(in));
    return Held(std::move(value));
  }
  static const T* pass(const Held& held) { return held ? &*held : nullptr; }
};

}  // namespace kith::crypto::wire
