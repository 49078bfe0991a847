#include "node/cli/read_input.hpp"

#include <fstream>
#include <iostream>

namespace kith::node {
namespace {

Result<std::string> read_all(std::istream& in, const std::string& name, std::size_t bytes_max) {
  std::string text;
  std::string piece(64 * 1024, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
    text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
    if (text.size() > bytes_max) return fail(Errc::limit_exceeded, name);
  }
  if (in.bad()) return fail(Errc::io, name);
  return text;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::io, path);
  return read_all(file, path, bytes_max);
}

Result<std::string> read_input(const std::string& path, std::size_t bytes_max) {
  return path.empty() || path == "-" ? read_all(std::cin, "the input", bytes_max)
                                     : read_file(path, bytes_max);
}

}  // namespace kith::node
