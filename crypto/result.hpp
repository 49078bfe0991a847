#pragma once

/// Result: what peers, disks and ledgers can do wrong is a value; our own bugs are assertions
/// (assert.hpp). Every error names a row of error_codes.def, the one catalogue.

#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace kith::crypto {

enum class Errc : unsigned char {
#define KITH_ERROR(name, code, exit_code, sentence, next_step) name,
#include "crypto/error_codes.def"
#undef KITH_ERROR
};

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

/// Reached only by calling value() on a failed Result, which is our own bug: aborts.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <class T>
using Result = boost::system::result<T, Error>;

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
