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

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  const std::string what = "value() of a failed Result: " + error.detail;
  assertion_failed(what.c_str(), where.file_name(), static_cast<int>(where.line()));
}

}  // namespace kith::crypto
