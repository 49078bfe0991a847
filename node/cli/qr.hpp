#pragma once

/// QR codes (ISO/IEC 18004) of invitations, by libqrencode: for the terminal, as SVG, and as PNG by
/// libpng. All have the quiet zone of four modules that the standard asks for.

#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"

namespace kith::node {

struct QrCode {
  std::size_t width = 0;   ///< Modules of one side, with the quiet zone.
  std::vector<bool> dark;  ///< Row by row.

  [[nodiscard]] bool at(std::size_t x, std::size_t y) const { return dark[y * width + x]; }
};

/// Bytes, at the lowest level of error correction, so that long invitations fit.
/// Errors: limit_exceeded (limits::kQrTextBytesMax), malformed (nothing, or a NUL in it).
[[nodiscard]] Result<QrCode> make_qr(std::string_view text);

/// How a terminal shows it. `utf8` puts two modules above each other into half blocks, `ascii`
/// takes two characters for one. `colours`: dark on light by escape codes; without, what is light
/// is drawn, as most terminals are dark.
struct QrStyle {
  bool utf8 = true;
  bool colours = false;
};
[[nodiscard]] std::string qr_text(const QrCode& code, const QrStyle& style);
[[nodiscard]] std::string qr_svg(const QrCode& code);
/// Errors: no_memory.
[[nodiscard]] Result<Bytes> qr_png(const QrCode& code);

}  // namespace kith::node
