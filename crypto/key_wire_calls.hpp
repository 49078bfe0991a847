#pragma once

/// One operation of KeyOps, taken apart by its type: how it is asked for, carried out, and how its
/// answer is read. For key_wire.cpp and remote_keys.cpp alone.

#include <tuple>

#include "crypto/key_wire.hpp"
#include "crypto/key_wire_values.hpp"

namespace kith::crypto::wire {

template <class T>
Result<T> take_answer(WireReader& in) {
  CHECK(take_key_status(in));
  if constexpr (std::is_void_v<T>) {
    if (!in.done()) return fail(Errc::malformed, "an answer is too long");
    return {};
  } else {
    TRY(T value, Wire<T>::get(in));
    if (!in.done()) return fail(Errc::malformed, "an answer is too long");
    return value;
  }
}

template <auto Method>
struct Operation;

template <class R, class... Params, R (KeyOps::*Method)(Params...)>
struct Operation<Method> {
  static void ask(WireBuffer& out, Params... params) { (Parameter<Params>::put(out, params), ...); }

  static void serve(KeyOps& keys, WireReader& in, WireBuffer& out) {
    // Braces: read from left to right.
    const std::tuple<Result<typename Parameter<Params>::Held>...> read{
        Parameter<Params>::get(in)...};
    std::apply(
        [&](const auto&... held) {
          const Error* wrong = nullptr;
          ((wrong = wrong == nullptr && held.has_error() ? &held.error() : wrong), ...);
          if (wrong != nullptr) return put_key_error(out, *wrong);
          if (!in.done()) return put_key_error(out, fail(Errc::malformed, "a frame is too long"));
          carry_out(keys, out, Parameter<Params>::pass(*held)...);
        },
        read);
  }

 private:
  template <class... Args>
  static void carry_out(KeyOps& keys, WireBuffer& out, Args&&... args) {
    if constexpr (std::is_void_v<R>) {
      (keys.*Method)(std::forward<Args>(args)...);
      out.u8(0);
    } else {
      const R result = (keys.*Method)(std::forward<Args>(args)...);
      if (!result.has_value()) return put_key_error(out, result.error());
      out.u8(0);
      Wire<typename R::value_type>::put(out, *result);
    }
  }
};

}  // namespace kith::crypto::wire
