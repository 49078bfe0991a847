#include "crypto/result.hpp"

#include "crypto/assert.hpp"

namespace kith::crypto {

const ErrorText& error_text(Errc code) {
  static constexpr ErrorText kTexts[] = {
#define KITH_ERROR(name, stable, exit_code, sentence, next_step) \
  ErrorText{stable, exit_code, sentence, next_step},
#include "crypto/error_codes.def"
#undef KITH_ERROR
  };
  const auto index = static_cast<std::size_t>(code);
  ASSERT(index < std::size(kTexts));
  return kTexts[index];
}

void wrong_alternative(const Error* held) {
  const std::string what = held == nullptr ? "the error of a Result that holds a value"
                                           : "the value of a failed Result: " + held->detail;
  assertion_failed(what.c_str(), __FILE__, __LINE__);
}

}  // namespace kith::crypto
