#include "node/cli/qr.hpp"

#include <png.h>
#include <qrencode.h>

#include <memory>

#include "crypto/limits.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kQuiet = 4;
constexpr std::size_t kPixelsPerModule = 8;
constexpr std::string_view kDarkOnLight = "\x1b[30;107m";
constexpr std::string_view kPlain = "\x1b[0m";

struct FreeQr {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

/// Both modules of one half-block character. `drawn` tells which of them get ink.
std::string_view half_block(bool upper, bool lower) {
  if (upper && lower) return "\u2588";
  if (upper) return "\u2580";
  return lower ? "\u2584" : " ";
}

std::string utf8_lines(const QrCode& code, bool colours) {
  std::string out;
  for (std::size_t y = 0; y < code.width; y += 2) {
    if (colours) out += kDarkOnLight;
    for (std::size_t x = 0; x < code.width; ++x) {
      const bool upper = code.at(x, y);
      const bool lower = y + 1 < code.width && code.at(x, y + 1);
      const bool below_end = y + 1 >= code.width;
      out += colours ? half_block(upper, lower) : half_block(!upper, !lower && !below_end);
    }
    if (colours) out += kPlain;
    out += '\n';
  }
  return out;
}

std::string ascii_lines(const QrCode& code, bool colours) {
  std::string out;
  for (std::size_t y = 0; y < code.width; ++y) {
    if (colours) out += kDarkOnLight;
    for (std::size_t x = 0; x < code.width; ++x) out += code.at(x, y) == colours ? "##" : "  ";
    if (colours) out += kPlain;
    out += '\n';
  }
  return out;
}

void write_to_bytes(png_structp png, png_bytep data, png_size_t size) {
  auto* bytes = static_cast<Bytes*>(png_get_io_ptr(png));
  bytes->insert(bytes->end(), data, data + size);
}

void no_flush(png_structp) {}

/// Sets up the writer; libpng leaves by longjmp, so nothing with a destructor lives in here.
bool write_image(png_structp png, png_infop info, png_uint_32 pixels, png_bytepp rows, Bytes* out) {
  if (setjmp(png_jmpbuf(png))) return false;  // NOLINT: the library's way to report errors
  png_set_write_fn(png, out, write_to_bytes, no_flush);
  png_set_IHDR(png, info, pixels, pixels, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_rows(png, info, rows);
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  return true;
}

}  // namespace

Result<QrCode> make_qr(std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) {
    return fail(Errc::malformed, "there is nothing to make a QR code of");
  }
  if (text.size() > limits::kQrTextBytesMax) {
    return fail(Errc::limit_exceeded, "this is too long for a QR code; a short address would fit");
  }
  const std::unique_ptr<QRcode, FreeQr> made(
      QRcode_encodeString8bit(std::string(text).c_str(), 0, QR_ECLEVEL_L));
  if (made == nullptr) return fail(Errc::no_memory, "the QR code could not be made");
  const auto side = static_cast<std::size_t>(made->width);
  QrCode code;
  code.width = side + 2 * kQuiet;
  code.dark.resize(code.width * code.width);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      code.dark[(y + kQuiet) * code.width + x + kQuiet] = (made->data[y * side + x] & 1U) != 0;
    }
  }
  return code;
}

std::string qr_text(const QrCode& code, const QrStyle& style) {
  return style.utf8 ? utf8_lines(code, style.colours) : ascii_lines(code, style.colours);
}

std::string qr_svg(const QrCode& code) {
  const std::string side = std::to_string(code.width);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
         std::to_string(code.width * kPixelsPerModule) + "\" height=\"" +
         std::to_string(code.width * kPixelsPerModule) + "\" viewBox=\"0 0 " + side + " " + side +
         "\" shape-rendering=\"crispEdges\">\n";
  out += "<rect width=\"" + side + "\" height=\"" + side + "\" fill=\"#fff\"/>\n<path d=\"";
  for (std::size_t y = 0; y < code.width; ++y) {
    for (std::size_t x = 0; x < code.width; ++x) {
      if (!code.at(x, y)) continue;
      std::size_t run = 1;
      while (x + run < code.width && code.at(x + run, y)) ++run;
      out += "M" + std::to_string(x) + " " + std::to_string(y) + "h" + std::to_string(run) +
             "v1h-" + std::to_string(run) + "z";
      x += run;
    }
  }
  return out + "\" fill=\"#000\"/>\n</svg>\n";
}

Result<Bytes> qr_png(const QrCode& code) {
  const std::size_t pixels = code.width * kPixelsPerModule;
  // One bit a pixel, white is 1; a module is one byte of eight pixels.
  static_assert(kPixelsPerModule == 8);
  std::vector<Bytes> lines(code.width, Bytes(code.width));
  std::vector<png_bytep> rows(pixels);
  for (std::size_t y = 0; y < code.width; ++y) {
    for (std::size_t x = 0; x < code.width; ++x) lines[y][x] = code.at(x, y) ? 0x00 : 0xff;
    for (std::size_t i = 0; i < kPixelsPerModule; ++i) {
      rows[y * kPixelsPerModule + i] = lines[y].data();
    }
  }
  Bytes out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  if (png == nullptr) return fail(Errc::no_memory);
  png_infop info = png_create_info_struct(png);
  const bool written = info != nullptr &&
                       write_image(png, info, static_cast<png_uint_32>(pixels), rows.data(), &out);
  png_destroy_write_struct(&png, &info);
  if (!written) return fail(Errc::no_memory, "the picture could not be made");
  return out;
}

}  // namespace kith::node
