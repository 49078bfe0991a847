#include "node/cli/read_input.hpp"

#include <fstream>
#include <iostream>

#include "crypto/limits.hpp"

namespace kith::node {
namespace {

Result<std::string> read_all(std::istream& in, const std::string& name) {
  std::string text;
  std::string piece(64 * 1024, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
    text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
    if (text.size() > limits::kEnvelopeBytesMax) return fail(Errc::limit_exceeded, name);
  }
  if (in.bad()) return fail(Errc::io, name);
  return text;
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::io, path);
  return read_all(file, path);
}

Result<std::string> read_input(const std::string& path) {
  return path.empty() || path == "-" ? read_all(std::cin, "the input") : read_file(path);
}

}  // namespace kith::node
