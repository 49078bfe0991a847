#include "crypto/key_wire.hpp"

#include <algorithm>
#include <array>

#include "crypto/key_wire_calls.hpp"

namespace kith::crypto {
namespace {

/// What is said of an error; our own details are far shorter.
constexpr std::size_t kDetailBytesMax = 1024;

struct KeyCallRow {
  KeyCall call;
  void (*serve)(KeyOps& keys, WireReader& in, WireBuffer& out);
};

template <auto Method>
constexpr KeyCallRow row(KeyCall call) {
  return {call, &wire::Operation<Method>::serve};
}

constexpr std::array kRows{
    row<&KeyOps::generate>(KeyCall::generate),
    row<&KeyOps::generate_secret>(KeyCall::generate_secret),
    row<&KeyOps::sign>(KeyCall::sign),
    row<&KeyOps::sign_hash>(KeyCall::sign_hash),
    row<&KeyOps::activate_next>(KeyCall::activate_next),
    row<&KeyOps::wrap_cek>(KeyCall::wrap_cek),
    row<&KeyOps::unwrap_cek>(KeyCall::unwrap_cek),
    row<&KeyOps::forget_agreements>(KeyCall::forget_agreements),
    row<&KeyOps::seal_to>(KeyCall::seal_to),
    row<&KeyOps::open_box>(KeyCall::open_box),
    row<&KeyOps::create_vault>(KeyCall::create_vault),
    row<&KeyOps::seal_to_vault>(KeyCall::seal_to_vault),
    row<&KeyOps::unlock_vault>(KeyCall::unlock_vault),
    row<&KeyOps::lock_vault>(KeyCall::lock_vault),
    row<&KeyOps::open_vault_item>(KeyCall::open_vault_item),
    row<&KeyOps::seal_capsule>(KeyCall::seal_capsule),
    row<&KeyOps::open_capsule>(KeyCall::open_capsule),
    row<&KeyOps::deal>(KeyCall::deal),
    row<&KeyOps::seal_share_to>(KeyCall::seal_share_to),
    row<&KeyOps::accept_share>(KeyCall::accept_share),
    row<&KeyOps::partial>(KeyCall::partial),
    row<&KeyOps::prove_share>(KeyCall::prove_share),
    row<&KeyOps::hand_over_vault>(KeyCall::hand_over_vault),
    row<&KeyOps::take_over_vault>(KeyCall::take_over_vault),
};

}  // namespace

void serve_key_call(KeyOps& keys, ByteView request, WireBuffer& answer) {
  answer.clear();
  WireReader in(request);
  const auto number = in.u8();
  const auto found = std::ranges::find_if(kRows, [&](const KeyCallRow& known) {
    return number.has_value() && static_cast<std::uint8_t>(known.call) == *number;
  });
  if (found == kRows.end()) {
    return put_key_error(answer, fail(Errc::malformed, "an unknown operation"));
  }
  found->serve(keys, in, answer);
}

void put_key_error(WireBuffer& answer, const Error& error) {
  answer.u8(1);
  answer.u8(static_cast<std::uint8_t>(error.code));
  answer.sized(as_bytes(std::string_view(error.detail).substr(0, kDetailBytesMax)));
}

Result<void> take_key_status(WireReader& answer) {
  TRY(const std::uint8_t failed, answer.u8());
  if (failed == 0) return {};
  TRY(const std::uint8_t code, answer.u8());
  TRY(const ByteView detail, answer.sized());
  if (failed > 1 || code >= kErrorCodes || !answer.done()) {
    return fail(Errc::malformed, "an unknown answer");
  }
  return Error{Errc{code}, std::string(as_text(detail))};
}

}  // namespace kith::crypto
