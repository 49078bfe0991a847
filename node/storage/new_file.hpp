#pragma once

/// A file that a command writes for its user: closed to others, written beside its place, and there
/// whole or not at all. Nothing is ever written over. Begin it before what cannot be done again:
/// then a place that takes no file is found in time.

#include <string>

#include "node/storage/private_files.hpp"

namespace kith::node {

class NewFile {
 public:
  /// Errors: conflict (there is one), io, storage_full.
  [[nodiscard]] static Result<NewFile> begin(const std::string& path);
  /// Without `finish` nothing is left of it.
  ~NewFile();
  NewFile(NewFile&& other) noexcept = default;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  NewFile& operator=(NewFile&&) = delete;

  [[nodiscard]] Result<void> add(ByteView bytes);
  /// It is on the disk, under its name. Errors: as begin.
  [[nodiscard]] Result<void> finish();

 private:
  NewFile(std::string path, int descriptor) : path_(std::move(path)), file_(descriptor) {}
  [[nodiscard]] std::string beside() const { return path_ + ".new"; }
  std::string path_;
  OwnedDescriptor file_;
};

}  // namespace kith::node
