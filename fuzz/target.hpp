#pragma once

/// A fuzz target takes any bytes for one kind of input from strangers, and checks more than that
/// nothing crashes: what is accepted can be written and read again, and stays the same.
///
/// libFuzzer runs a target through libfuzzer.cpp, the tests through replay.cpp. Properties are
/// checked with hold(), which throws: libFuzzer takes that for a crash, replaying names the file.

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::fuzz {

class Broken : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws Broken unless `property` holds; `name` says which.
void hold(bool property, const std::string& name);

/// What must be there, because it was ours or had been accepted before. Throws Broken.
template <class T>
[[nodiscard]] T must(Result<T> result, const std::string& name) {
  if (!result.has_value()) throw Broken(name + ": " + result.error().detail);
  return std::move(*result);
}

/// Equal but for the last digits of floating-point numbers: Boost.JSON does not round those to the
/// nearest on reading.
[[nodiscard]] bool same(const Json& a, const Json& b);

/// Every text that a target wrote itself passes through here before it is read again. A planted
/// fault damages it, and each target must notice.
[[nodiscard]] std::string written(std::string text);
void plant_fault(bool planted);

/// Output stays in proportion to input: no byte becomes more than a few.
void hold_bounded(std::size_t output, std::size_t input);

enum class Verdict { accepted, refused };

[[nodiscard]] Verdict message(ByteView input);
[[nodiscard]] Verdict envelope(ByteView input);
[[nodiscard]] Verdict did(ByteView input);
[[nodiscard]] Verdict did_document(ByteView input);
[[nodiscard]] Verdict invitation(ByteView input);
[[nodiscard]] Verdict http_header(ByteView input);
[[nodiscard]] Verdict http_body(ByteView input);
[[nodiscard]] Verdict log_entry(ByteView input);
[[nodiscard]] Verdict add_checkpoint(ByteView input);
[[nodiscard]] Verdict evm_answer(ByteView input);
[[nodiscard]] Verdict key_call(ByteView input);
[[nodiscard]] Verdict agent_proof(ByteView input);
[[nodiscard]] Verdict slip39(ByteView input);
[[nodiscard]] Verdict portable(ByteView input);

struct Target {
  std::string_view name;
  Verdict (*run)(ByteView input);
};
[[nodiscard]] std::span<const Target> targets();

}  // namespace kith::fuzz
