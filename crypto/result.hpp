#pragma once

/// Result: what peers, disks and ledgers can do wrong is a value; our own bugs are assertions
/// (assert.hpp). Every error names a row of error_codes.def, the one catalogue.

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace kith::crypto {

enum class Errc : unsigned char {
#define KITH_ERROR(name, code, exit_code, sentence, next_step) name,
#include "crypto/error_codes.def"
#undef KITH_ERROR
};

/// How many there are; their numbers are below.
inline constexpr std::size_t kErrorCodes = 0
#define KITH_ERROR(name, code, exit_code, sentence, next_step) +1
#include "crypto/error_codes.def"
#undef KITH_ERROR
    ;

/// One row of the catalogue.
struct ErrorText {
  std::string_view code;       ///< For programs; never renamed.
  int exit_code;               ///< Of the command line.
  std::string_view sentence;   ///< For people.
  std::string_view next_step;  ///< For people.
};

[[nodiscard]] const ErrorText& error_text(Errc code);

/// `detail` says what was wrong at the place where it happened. It is shown to people and may reach
/// logs, so it never holds secrets or unbounded text from a peer.
struct Error {
  Errc code;
  std::string detail;
};

inline bool operator==(const Error& error, Errc code) {
  return error.code == code;
}

/// Reached only by asking a Result for what it does not hold, which is our own bug: aborts.
[[noreturn]] void wrong_alternative(const Error* held);

/// A value, or the Error that says why there is none; each converts to it. Asking for the one it
/// does not hold aborts, in release builds too. What is moved from still holds what was moved. A
/// temporary gives its content away by value, so that a loop may run over it.
///
/// Ours because nearly every function returns one: boost::system::result and std::variant
/// instantiate six times as many functions for each T, a fifth of the time of a build.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  template <class U = T>
  Result(U&& value) requires(std::is_convertible_v<U&&, T> &&
                             !std::is_same_v<std::remove_cvref_t<U>, Result>)
      : has_value_(true), value_(std::forward<U>(value)) {}
  Result(Error error) : has_value_(false), error_(std::move(error)) {}
  Result(Result&& other) noexcept : has_value_(other.has_value_) { take(std::move(other)); }
  Result(const Result& other) requires(std::is_copy_constructible_v<T>)
      : has_value_(other.has_value_) {
    take(other);
  }
  Result& operator=(Result other) noexcept {
    this->~Result();
    return *::new (static_cast<void*>(this)) Result(std::move(other));
  }
  ~Result() {
    if (has_value_) {
      value_.~T();
    } else {
      error_.~Error();
    }
  }

  [[nodiscard]] bool has_value() const { return has_value_; }
  [[nodiscard]] bool has_error() const { return !has_value_; }
  explicit operator bool() const { return has_value_; }

  [[nodiscard]] T& operator*() & { return check(true), value_; }
  [[nodiscard]] const T& operator*() const& { return check(true), value_; }
  [[nodiscard]] T operator*() && { return check(true), std::move(value_); }
  [[nodiscard]] T* operator->() { return check(true), std::addressof(value_); }
  [[nodiscard]] const T* operator->() const { return check(true), std::addressof(value_); }
  [[nodiscard]] T& value() & { return **this; }
  [[nodiscard]] const T& value() const& { return **this; }
  [[nodiscard]] T value() && { return *std::move(*this); }

  [[nodiscard]] const Error& error() const& { return check(false), error_; }
  [[nodiscard]] Error error() && { return check(false), std::move(error_); }

 private:
  template <class Other>
  void take(Other&& other) {
    if (has_value_) {
      ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<Other>(other).value_);
    } else {
      ::new (static_cast<void*>(std::addressof(error_))) Error(std::forward<Other>(other).error_);
    }
  }
  void check(bool value_is_asked) const {
    if (has_value_ != value_is_asked) wrong_alternative(has_value_ ? nullptr : &error_);
  }

  bool has_value_;
  union {
    T value_;
    Error error_;
  };
};

/// Done, or why not.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const { return !error_.has_value(); }
  [[nodiscard]] bool has_error() const { return error_.has_value(); }
  explicit operator bool() const { return has_value(); }

  void value() const {
    if (error_) wrong_alternative(&*error_);
  }
  [[nodiscard]] const Error& error() const& { return check(), *error_; }
  [[nodiscard]] Error error() && { return check(), *std::move(error_); }

 private:
  void check() const {
    if (!error_) wrong_alternative(nullptr);
  }

  std::optional<Error> error_;
};

[[nodiscard]] inline Error fail(Errc code, std::string detail = {}) {
  return Error{code, std::move(detail)};
}

}  // namespace kith::crypto

namespace kith {
using crypto::Errc;
using crypto::Error;
using crypto::fail;
using crypto::Result;
}  // namespace kith

#define KITH_CONCAT_(a, b) a##b
#define KITH_CONCAT(a, b) KITH_CONCAT_(a, b)

/// TRY(declaration, expression): `TRY(auto key, parse(text));` returns the error, or declares
/// `key`.
#define TRY(declaration, ...) KITH_TRY_(KITH_CONCAT(kith_try_, __LINE__), declaration, __VA_ARGS__)
#define KITH_TRY_(temporary, declaration, ...)                     \
  auto temporary = (__VA_ARGS__);                                  \
  if (!temporary.has_value()) return std::move(temporary).error(); \
  declaration = std::move(*temporary)

/// CHECK(expression): returns the error of a Result<void>.
#define CHECK(...)                                                       \
  do {                                                                   \
    auto kith_check_ = (__VA_ARGS__);                                    \
    if (!kith_check_.has_value()) return std::move(kith_check_).error(); \
  } while (false)
